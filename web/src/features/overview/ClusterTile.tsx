import { Link } from 'react-router';
import type { Cluster } from '@/api/types';
import { Age } from '@/components/Age';
import { ClusterHolds } from '@/features/clusters/ClusterHolds';
import { ClusterStateTag } from '@/features/clusters/ClusterStateTag';
import { ClusterUse } from '@/features/clusters/ClusterUse';
import { clusterPath } from '@/components/paths';
import styles from './overview.module.css';

export function ClusterTile({ cluster }: { cluster: Cluster }) {
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
        <ClusterHolds cluster={cluster} />
      </p>
    </article>
  );
}
