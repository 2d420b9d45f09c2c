import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Overview } from '@/api/types';
import { StateIcon } from '@/components/StateIcon';
import { SERVICE_STATES } from '@/components/status';
import styles from './overview.module.css';

/** How many services are in each state; each leads to them. */
export function StateTiles({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  return (
    <nav className={styles.tiles} aria-label={t('overview.by_state')}>
      {SERVICE_STATES.map((state) => {
        const count = overview.services[state] ?? 0;
        return (
          <Link key={state} to={`/services?state=${state}`} className={styles.tile} data-none={count === 0}>
            <span className={styles.count}>{count}</span>
            <span className={styles.word}>
              <StateIcon tone={state} />
              {t(`state.service.${state}`)}
            </span>
          </Link>
        );
      })}
    </nav>
  );
}
