import { useTranslation } from 'react-i18next';
import type { Operation } from '@/api/types';
import { operationTone } from '../status';
import { StateTag } from '../StateTag';
import type { Outcome } from './useBulkRun';
import styles from './bulk.module.css';

interface Props {
  outcome: Outcome | undefined;
  operations: ReadonlyMap<string, Operation>;
}

/** How one of many fared: what the server said, and then how its operation goes on. */
export function BulkOutcome({ outcome, operations }: Props) {
  const { t, i18n } = useTranslation();
  if (!outcome) return <span className="faint">{t('bulk.left_alone')}</span>;
  switch (outcome.kind) {
    case 'waiting':
      return <StateTag plain tone="stopped" label={t('bulk.waiting')} />;
    case 'sending':
      return <StateTag plain tone="progressing" label={t('bulk.sending')} />;
    case 'refused': {
      const { code, message } = outcome.error;
      const key = `error.code.${code}`;
      return (
        <>
          <StateTag
            plain
            tone="failed"
            label={i18n.exists(key) ? t(key as 'error.code.network') : t('error.title_refused')}
          />
          {code !== 'network' && <span className={styles.reason}>{message}</span>}
        </>
      );
    }
    case 'accepted': {
      const operation = outcome.operation ? operations.get(outcome.operation) : undefined;
      if (!operation) return <StateTag plain tone="running" label={t('bulk.accepted')} />;
      const moving = operation.state === 'running' || operation.state === 'waiting';
      return (
        <StateTag plain tone={operationTone(operation.state)} label={t(`state.operation.${operation.state}`)}>
          {moving && <span className="number">{operation.progress}%</span>}
        </StateTag>
      );
    }
  }
}
