import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import type { LogState } from './followLog';
import type { LogRecord } from './logRecord';
import type { LogView } from './useLogView';
import styles from './log.module.css';

interface NothingProps {
  state: LogState;
  view: LogView;
  /** That are there and not shown. */
  lines: number;
  empty: string;
}

/** Why no line is shown. */
export function LogNothing({ state, view, lines, empty }: NothingProps) {
  const { t } = useTranslation();
  const text = () => {
    if (state.kind === 'loading' || (state.kind === 'reconnecting' && lines === 0)) return t('loading');
    if (lines === 0) return empty;
    return view.onlyMatches && view.query ? t('log.no_match') : t('log.all_hidden');
  };
  return <p className={styles.nothing}>{text()}</p>;
}

interface StatusProps {
  state: LogState;
  record: LogRecord;
  count: number;
  /** Lines that came while the view stood still. */
  waiting: number;
  onResume: () => void;
  onRestart: () => void;
}

/** How the log fares, and what of it is not here. */
export function LogStatus({ state, record, count, waiting, onResume, onRestart }: StatusProps) {
  const { t } = useTranslation();
  const { buffer, leftOut, shortened } = record;
  return (
    <div className={styles.status} role="status">
      <span data-state={state.kind} className={styles.dot} aria-hidden="true" />
      {state.kind === 'ended' ? t('log.ended', { reason: state.reason }) : t(`log.state_${state.kind}`)}
      {state.kind === 'ended' && (
        <Button size="small" type="link" onClick={onRestart}>
          {t('log.again')}
        </Button>
      )}
      <span className={styles.space} />
      {waiting > 0 && (
        <Button size="small" type="link" onClick={onResume}>
          {t('log.waiting', { count: waiting })}
        </Button>
      )}
      {leftOut > 0 && <span>{t('log.left_out', { count: leftOut })}</span>}
      {shortened && <span>{t('log.shortened')}</span>}
      <span className="number">{t('log.count', { count })}</span>
      {buffer.dropped > 0 && <span>{t('log.dropped', { count: buffer.dropped })}</span>}
    </div>
  );
}
