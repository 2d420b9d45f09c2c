import { Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Cluster } from '@/api/types';
import { clusterTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';

export function ClusterStateTag({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  return (
    <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
      <StateTag tone={clusterTone(cluster.state)} label={t(`state.cluster.${cluster.state}`)} />
      {cluster.cordoned && <Tag variant="outlined">{t('cluster.cordoned')}</Tag>}
      {cluster.evacuation && (
        <Tag variant="outlined">
          {t(cluster.evacuation.complete ? 'evacuation.tag_done' : 'evacuation.tag_under_way')}
        </Tag>
      )}
    </span>
  );
}
