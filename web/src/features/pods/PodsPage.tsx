import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { ClusterFilter, EnvironmentFilter, ProjectFilter } from '@/components/PlaceFilters';
import { useFilters } from '@/components/useFilters';
import { PodDrawer } from './PodDrawer';
import { useSelection } from '@/components/bulk/useSelection';
import { PodBulkBar } from './bulk/PodBulkBar';
import { podKey } from './podKey';
import { PodTable, usePodColumns } from './PodTable';

const FILTERS = ['q', 'project', 'environment', 'service', 'cluster', 'node', 'status', 'ready'] as const;

const STATUSES = [
  'Running',
  'Pending',
  'ContainerCreating',
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'OOMKilled',
  'Error',
  'Completed',
  'Terminating',
];

/** Every container over all clusters. */
export function Page() {
  const { t } = useTranslation();
  const list = useFilters(FILTERS, {
    label: (name) => {
      switch (name) {
        case 'q':
          return t('filter.text');
        case 'node':
          return t('pod.node');
        case 'status':
          return t('word.state');
        default:
          return t(`word.${name}`);
      }
    },
    value: (name, value) => (name === 'ready' ? t(value === 'true' ? 'word.yes' : 'word.no') : value),
  });
  const { filters } = list;
  const { ready, ...texts } = list.query;
  const pods = useQuery({
    ...read('/api/v1/pods', {
      params: { query: { ...texts, ready: ready === 'true' ? true : ready === 'false' ? false : undefined } },
    }),
    placeholderData: keepPreviousData,
  });
  const { columns, chooser } = usePodColumns(list.sort, true);
  const selection = useSelection(pods.data?.items, podKey);
  return (
    <>
      <PageHeader title={t('menu.containers')} subtitle={t('pod.list_text')} />
      <FilterBar {...list.bar} extra={chooser}>
        <SearchFilter {...list.one('q')} placeholder={t('pod.search')} />
        <ProjectFilter {...list.one('project')} />
        <EnvironmentFilter {...list.one('environment')} project={filters.project} />
        <ClusterFilter {...list.one('cluster')} />
        <Select
          mode="tags"
          allowClear
          maxTagCount="responsive"
          aria-label={t('word.state')}
          placeholder={t('word.state')}
          {...list.many('status')}
          options={STATUSES.map((value) => ({ value }))}
        />
        <Select
          allowClear
          aria-label={t('word.ready')}
          placeholder={t('word.ready')}
          {...list.one('ready')}
          options={[
            { value: 'true', label: t('pod.only_ready') },
            { value: 'false', label: t('pod.only_not_ready') },
          ]}
        />
      </FilterBar>
      <PodTable
        query={pods}
        onSort={list.setSort}
        columns={columns}
        selection={selection}
        empty={
          <EmptyList filtered={list.isFiltered} title={t('pod.empty_title')} text={t('pod.empty_text')} />
        }
        footer={<Pager paging={list.paging} page={pods.data} />}
      />
      <PodBulkBar selection={selection} />
      <PodDrawer />
    </>
  );
}
