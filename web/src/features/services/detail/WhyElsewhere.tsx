import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import type { Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { clusterPath } from '@/components/paths';
import { pathOf } from '../actions/useServiceMutation';
import styles from './detail.module.css';

/** Of every cluster that holds none of a service's replicas: why not. */
export function WhyElsewhere({ service }: { service: Service }) {
  const { t } = useTranslation();
  const query = useQuery(
    read('/api/v1/projects/{project}/environments/{environment}/services/{service}/placement', {
      params: { path: pathOf(service) },
    }),
  );
  if (!query.data) {
    if (!query.error) return <RowsLoading />;
    return <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />;
  }
  const none = query.data.clusters.filter(({ replicas }) => replicas === 0);
  if (none.length === 0) return <p className="faint">{t('placement.everywhere')}</p>;
  return (
    <dl className={styles.elsewhere}>
      {none.map(({ cluster, region, reason }) => (
        <div key={cluster}>
          <dt>
            <Link to={clusterPath(cluster)}>{cluster}</Link> <span className="faint">{region}</span>
          </dt>
          <dd>{reason.message}</dd>
        </div>
      ))}
    </dl>
  );
}
