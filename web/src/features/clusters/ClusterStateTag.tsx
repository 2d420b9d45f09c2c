import { Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Cluster } from '@/api/types';
import { clusterTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';

/** What to show of a cluster in one word; beside it, while it is emptied, how it is. */
export function ClusterStateTag({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const { state, status } = cluster;
  return (
    <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
      <StateTag tone={clusterTone(status.state)} label={t(`state.cluster.${status.state}`)} />
      {status.state !== state && state !== 'ready' && (
        <StateTag tone={clusterTone(state)} label={t(`state.cluster.${state}`)} />
      )}
      {/* A ready one gives a reason only when it throttles us. */}
      {status.state === 'ready' && status.reason && <StateTag tone="degraded" label={t('cluster.busy')} />}
      {cluster.cordoned && <Tag variant="outlined">{t('cluster.cordoned')}</Tag>}
    </span>
  );
}
