import { useTranslation } from 'react-i18next';
import { percent } from './quantity';
import styles from './UseBar.module.css';

interface Props {
  label: string;
  requested: number;
  used?: number | null;
  total: number;
  format: (value: number) => string;
  /** Where it stands alone and `format` gives a bare number. */
  withUnit?: (value: number) => string;
  stale?: boolean;
}

/** How much of a resource is asked for and, where it is known, in use. */
export function UseBar({ label, requested, used, total, format, withUnit = format, stale = false }: Props) {
  const { t } = useTranslation();
  const share = percent(requested, total);
  const tone = stale ? 'old' : share >= 90 ? 'high' : 'normal';
  const known = used !== undefined && used !== null;
  return (
    <div className={styles.use} data-tone={tone}>
      <div className={styles.words}>
        <span>{label}</span>
        <span className="number">
          {t('use.requested', { requested: format(requested), total: withUnit(total), percent: share })}
        </span>
      </div>
      <div className={styles.track} role="img" aria-label={`${label}: ${share}%`}>
        <span className={styles.requested} style={{ width: `${Math.min(100, share)}%` }} />
        {known && (
          <span className={styles.used} style={{ width: `${Math.min(100, percent(used, total))}%` }} />
        )}
      </div>
      {known && (
        <div className={styles.note}>
          {t('use.used', { used: withUnit(used), percent: percent(used, total) })}
        </div>
      )}
    </div>
  );
}
