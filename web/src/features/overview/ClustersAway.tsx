import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Cluster } from '@/api/types';
import { Age } from '@/components/Age';
import { clusterPath } from '@/components/paths';
import { Section } from '@/components/Section';
import { StateIcon } from '@/components/StateIcon';
import { clusterTone } from '@/components/status';
import { ClusterHolds } from '@/features/clusters/ClusterHolds';
import styles from './overview.module.css';

/** The clusters that don't answer or of which one witness is silent, since when, and what is on them. */
export function ClustersAway({ clusters }: { clusters: Cluster[] }) {
  const { t } = useTranslation();
  const away = clusters.filter(({ state }) => state === 'unreachable' || state === 'suspect');
  if (away.length === 0) return null;
  return (
    <Section title={t('overview.away_title')}>
      <ul className={styles.away}>
        {away.map(
          ({ name, region, state, state_since, state_reason, services, assigned_replicas, evacuation }) => (
            <li key={name}>
              <StateIcon tone={clusterTone(state)} size={14} />
              <div>
                <Link to={clusterPath(name)}>{name}</Link> <span className="muted">{region}</span> ·{' '}
                <Age at={state_since} />
                <p className="muted">{state_reason}</p>
                <p>
                  <Link to={`/services?cluster=${encodeURIComponent(name)}`}>
                    <ClusterHolds cluster={{ services, assigned_replicas }} />
                  </Link>
                  {services > 0 && !evacuation && state === 'unreachable' && (
                    <>
                      {' · '}
                      <Link to={clusterPath(name)}>{t('evacuation.plan_it')}</Link>
                    </>
                  )}
                </p>
              </div>
            </li>
          ),
        )}
      </ul>
    </Section>
  );
}
