import { useTranslation } from 'react-i18next';
import type { Gap } from '@/api/types';
import { Age } from './Age';
import { StateIcon } from './StateIcon';
import styles from './Gaps.module.css';

/** The clusters whose part of a list is missing or old. */
export function Gaps({ gaps }: { gaps: Gap[] | undefined }) {
  const { t } = useTranslation();
  if (!gaps?.length) return null;
  return (
    <div className={styles.gaps} role="status">
      {gaps.map((gap) => (
        <p key={gap.cluster} className={styles.gap}>
          <StateIcon tone="unknown" />
          <span>
            <strong>{gap.cluster}</strong>{' '}
            {gap.observed_at ? (
              <>
                {t('gap.old')} <Age at={gap.observed_at} />
              </>
            ) : (
              t('gap.missing')
            )}
            {gap.reason && <span className="faint"> · {gap.reason}</span>}
          </span>
        </p>
      ))}
    </div>
  );
}
