import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { read } from '@/api/client';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { OperationRow } from '@/components/OperationRow';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { AttentionList } from './AttentionList';
import { ClustersAway } from './ClustersAway';
import { ClusterTile } from './ClusterTile';
import { FirstSteps } from './FirstSteps';
import { Headline } from './Headline';
import { StateTiles } from './StateTiles';
import styles from './overview.module.css';

/** Is anything wrong, where, since when, and what changed just before. */
export function Page() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const overview = useQuery(read('/api/v1/overview'));
  const { data } = overview;
  if (!data) {
    return overview.error ? (
      <ErrorPanel error={overview.error} onRetry={() => void overview.refetch()} />
    ) : (
      <Skeleton active paragraph={{ rows: 12 }} />
    );
  }
  const total = Object.values(data.services).reduce((sum, count) => sum + count, 0);
  return (
    <div className={styles.page}>
      {overview.error && <ErrorPanel inline error={overview.error} onRetry={() => void overview.refetch()} />}
      <Headline overview={data} />
      {total === 0 && <FirstSteps overview={data} />}
      {total > 0 && <StateTiles overview={data} />}
      <div className={styles.columns}>
        <div className={styles.stack}>
          <ClustersAway clusters={data.clusters} />
          {data.attention.length > 0 && (
            <Section
              flush
              title={t('overview.attention')}
              extra={<Link to="/services?state=failed,degraded,unknown">{t('overview.all_of_them')}</Link>}
            >
              <AttentionList services={data.attention} />
            </Section>
          )}
          <Section
            title={t('overview.recent')}
            extra={<Link to="/operations">{t('operations.all')}</Link>}
            hint={t('overview.recent_hint')}
          >
            {data.recent_operations.length ? (
              <div className={styles.operations}>
                {data.recent_operations.map((operation) => (
                  <OperationRow key={operation.id} operation={operation} />
                ))}
              </div>
            ) : (
              <p className="faint">{t('operations.empty_text')}</p>
            )}
          </Section>
        </div>
        <Section
          title={t('menu.clusters')}
          hint={t('cluster.use_hint')}
          extra={<Link to="/clusters">{t('overview.all_clusters')}</Link>}
        >
          {data.clusters.length ? (
            <div className={styles.clusters}>
              {data.clusters.map((cluster) => (
                <ClusterTile key={cluster.id} cluster={cluster} />
              ))}
            </div>
          ) : (
            <EmptyPanel
              compact
              title={t('cluster.empty_title')}
              text={t('cluster.empty_text')}
              action={
                <PermitButton
                  permission="cluster:write"
                  type="primary"
                  onClick={() => void navigate('/clusters/new')}
                >
                  {t('cluster.register')}
                </PermitButton>
              }
            />
          )}
        </Section>
      </div>
    </div>
  );
}
