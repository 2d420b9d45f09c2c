import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import type { Pod } from '@/api/types';
import { BulkBar } from '@/components/bulk/BulkBar';
import { BulkDialog } from '@/components/bulk/BulkDialog';
import type { BulkItem } from '@/components/bulk/useBulkRun';
import type { Selection } from '@/components/bulk/useSelection';
import { usePermits } from '@/features/session/permissions';
import { podKey } from '../podKey';

/** What can be done with all the pods that are chosen: destroy them, so that their services make others. */
export function PodBulkBar({ selection }: { selection: Selection<Pod> }) {
  const { t } = useTranslation();
  const permit = usePermits();
  const [pods, setPods] = useState<Pod[]>();
  const items = pods?.map((pod): BulkItem => {
    const { project, environment, cluster, name, service } = pod;
    const place = project && environment ? { project, environment } : undefined;
    return {
      key: podKey(pod),
      name: (
        <>
          <span className="mono">{name}</span> <span className="faint">{cluster}</span>
        </>
      ),
      will: t('bulk.will_delete_pod', { service: service ?? '' }),
      skip: place ? permit('pod:delete', place).reason : t('bulk.skip.not_ours'),
      run: async () => {
        if (!place) return undefined;
        await client.DELETE(
          '/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}',
          { params: { path: { ...place, cluster, pod: name } } },
        );
        return undefined;
      },
    };
  });
  return (
    <>
      <BulkBar count={selection.keys.length} elsewhere={selection.elsewhere} onClear={selection.clear}>
        <Button danger onClick={() => setPods(selection.chosen)}>
          {t('pod.delete')}
        </Button>
      </BulkBar>
      {items && (
        <BulkDialog
          title={t('bulk.title_delete_pods', { count: items.length })}
          okText={t('pod.delete')}
          danger
          items={items}
          onClose={(begun) => {
            setPods(undefined);
            if (begun) selection.clear();
          }}
        />
      )}
    </>
  );
}
