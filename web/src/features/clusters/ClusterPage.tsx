import { DeleteOutlined, EditOutlined, KeyOutlined, MoreOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown, Skeleton, Tag, Tooltip } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { read } from '@/api/client';
import { asApiError } from '@/api/error';
import { Age } from '@/components/Age';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageHeader } from '@/components/PageHeader';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { usePermission } from '@/features/session/permissions';
import { ClusterDialog, type ClusterDialogKind } from './ClusterDialog';
import { ClusterHolds } from './ClusterHolds';
import { ClusterStateTag } from './ClusterStateTag';
import { ClusterUse } from './ClusterUse';
import { EvacuationDialog } from './EvacuationDialog';
import { EvacuationSection } from './EvacuationSection';
import { FailbackSection } from './FailbackSection';
import { HistorySection } from './HistorySection';
import { NodeTable } from './NodeTable';
import { WitnessSection } from './WitnessSection';
import styles from './clusters.module.css';

export function Page() {
  const { t } = useTranslation();
  const { cluster: name = '' } = useParams();
  const [dialog, setDialog] = useState<ClusterDialogKind>();
  const [evacuating, setEvacuating] = useState(false);
  const query = useQuery(read('/api/v1/clusters/{cluster}', { params: { path: { cluster: name } } }));
  const write = usePermission('cluster:write');
  const cluster = query.data;
  const gone = query.error !== null && asApiError(query.error).status === 404;
  if (!cluster || gone) {
    if (!query.error) return <Skeleton active paragraph={{ rows: 8 }} />;
    return gone ? (
      <EmptyPanel whole title={t('cluster.gone_title', { name })} text={t('cluster.gone_text')} />
    ) : (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
    );
  }
  const removing = cluster.state === 'removing' ? t('cluster.being_removed') : undefined;
  const why = write.reason ?? removing;
  const { observed } = cluster;
  const item = (key: ClusterDialogKind, icon: React.ReactNode, label: string, danger = false) => ({
    key,
    icon,
    danger,
    disabled: why !== undefined,
    label: <Tooltip title={why}>{label}</Tooltip>,
    onClick: () => setDialog(key),
  });
  return (
    <>
      <PageHeader
        title={cluster.name}
        trail={[{ to: '/clusters', label: t('menu.clusters') }]}
        badge={<ClusterStateTag cluster={cluster} />}
        subtitle={
          <>
            {[cluster.region, cluster.zone].filter(Boolean).join(' / ')}
            {observed && (
              <>
                {' · '}
                <span className="mono">{observed.kubernetes_version}</span>
              </>
            )}
            {' · '}
            {cluster.status.reason && `${cluster.status.reason} · `}
            {t('cluster.state_since')} <Age at={cluster.status.since} />
          </>
        }
        actions={
          <>
            <PermitButton permission="cluster:write" blocked={removing} onClick={() => setDialog('cordon')}>
              {t(cluster.cordoned ? 'cluster.uncordon' : 'cluster.cordon')}
            </PermitButton>
            {!cluster.evacuation && (
              <PermitButton permission="cluster:write" blocked={removing} onClick={() => setEvacuating(true)}>
                {t('evacuation.order')}
              </PermitButton>
            )}
            <PermitButton
              permission="cluster:write"
              blocked={removing}
              icon={<EditOutlined aria-hidden />}
              onClick={() => setDialog('edit')}
            >
              {t('action.edit')}
            </PermitButton>
            <Dropdown
              trigger={['click']}
              placement="bottomRight"
              menu={{
                items: [
                  item('kubeconfig', <KeyOutlined aria-hidden />, t('cluster.replace_kubeconfig')),
                  item('remove', <DeleteOutlined aria-hidden />, t('cluster.remove'), true),
                ],
              }}
            >
              <Button icon={<MoreOutlined aria-hidden />} aria-label={t('cluster.more_actions')} />
            </Dropdown>
          </>
        }
      />
      <div className={styles.stack}>
        {query.error && <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />}
        {cluster.evacuation && <EvacuationSection cluster={cluster} evacuation={cluster.evacuation} />}
        {!cluster.evacuation && cluster.failback && (
          <FailbackSection cluster={cluster} failback={cluster.failback} />
        )}
        <Section
          title={t('cluster.use')}
          hint={t('cluster.use_hint')}
          extra={
            <Link to={`/services?cluster=${cluster.name}`}>
              <ClusterHolds cluster={cluster} />
            </Link>
          }
        >
          {observed ? (
            <ClusterUse wide observed={observed} />
          ) : (
            <p className="faint">{t('cluster.never_seen')}</p>
          )}
        </Section>
        <Section title={t('cluster.labels')}>
          {Object.keys(cluster.labels).length ? (
            <div className={styles.labels}>
              {Object.entries(cluster.labels).map(([key, value]) => (
                <Tag key={key} variant="outlined" className="mono">
                  {value ? `${key}=${value}` : key}
                </Tag>
              ))}
            </div>
          ) : (
            <p className="faint">{t('cluster.no_labels')}</p>
          )}
          {cluster.taints.length > 0 && (
            <div className={styles.labels}>
              {cluster.taints.map(({ key, value, effect }) => (
                <Tag key={`${key}=${value} ${effect}`} color="warning">
                  {t('cluster.taint')} {key}
                  {value && `=${value}`} · {t(`cluster.effect_${effect ?? 'no_placement'}`)}
                </Tag>
              ))}
            </div>
          )}
        </Section>
        <NodeTable cluster={cluster.name} />
        <WitnessSection cluster={cluster} />
        <HistorySection cluster={cluster.name} />
        {evacuating && <EvacuationDialog cluster={cluster} onClose={() => setEvacuating(false)} />}
        {dialog && <ClusterDialog kind={dialog} cluster={cluster} onClose={() => setDialog(undefined)} />}
      </div>
    </>
  );
}
