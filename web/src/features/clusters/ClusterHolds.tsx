import { useTranslation } from 'react-i18next';
import type { Cluster } from '@/api/types';

/** How much a cluster was given to run. */
export function ClusterHolds({ cluster }: { cluster: Pick<Cluster, 'services' | 'assigned_replicas'> }) {
  const { t } = useTranslation();
  return (
    <>
      {t('cluster.holds_services', { count: cluster.services })} ·{' '}
      {t('cluster.holds_replicas', { count: cluster.assigned_replicas })}
    </>
  );
}
