import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Cluster } from '@/api/types';
import { Age } from '@/components/Age';
import { ClusterStateTag } from '@/features/clusters/ClusterStateTag';
import { ClusterUse } from '@/features/clusters/ClusterUse';
import { clusterPath } from '@/components/paths';
import styles from './overview.module.css';

export function ClusterTile({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const { observed } = cluster;
  return (
    <article className={styles.cluster}>
      <div className={styles.clusterHead}>
        <div>
          <Link to={clusterPath(cluster.name)} className={styles.clusterName}>
            {cluster.name}
          </Link>{' '}
          <span className="faint">{cluster.region}</span>
        </div>
        <ClusterStateTag cluster={cluster} />
      </div>
      {cluster.state !== 'ready' ? (
        <p className="muted">
          {cluster.state_reason} · <Age at={cluster.state_since} />
        </p>
      ) : (
        cluster.state_reason && <p className="muted">{cluster.state_reason}</p>
      )}
      {observed && <ClusterUse observed={observed} />}
      <p className="faint">
        {t('cluster.holds', { services: cluster.services, replicas: cluster.assigned_replicas })}
      </p>
    </article>
  );
}
