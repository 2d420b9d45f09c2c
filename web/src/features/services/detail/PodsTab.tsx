import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { ServiceAddress } from '@/api/types';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Pager } from '@/components/Pager';
import { useListState } from '@/components/useListState';
import { useSelection } from '@/components/bulk/useSelection';
import { PodBulkBar } from '@/features/pods/bulk/PodBulkBar';
import { podKey } from '@/features/pods/podKey';
import { PodTable, usePodColumns } from '@/features/pods/PodTable';
import styles from './detail.module.css';

export function PodsTab({ address }: { address: ServiceAddress }) {
  const { t } = useTranslation();
  const list = useListState();
  const pods = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/pods', {
      params: { path: address, query: { sort: list.sort, limit: list.limit, cursor: list.cursor } },
    }),
    placeholderData: keepPreviousData,
  });
  const { columns, chooser } = usePodColumns(list.sort, false);
  const selection = useSelection(pods.data?.items, podKey);
  return (
    <>
      <div className={styles.listTools}>{chooser}</div>
      <PodTable
        query={pods}
        onSort={list.setSort}
        columns={columns}
        selection={selection}
        empty={<EmptyPanel compact title={t('pod.empty_title')} text={t('pod.service_empty_text')} />}
        footer={<Pager paging={list.paging} page={pods.data} />}
      />
      <PodBulkBar selection={selection} />
    </>
  );
}
