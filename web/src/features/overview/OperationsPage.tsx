import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { OperationState } from '@/api/types';
import { FilterBar } from '@/components/FilterBar';
import { OperationTable } from '@/components/OperationTable';
import { PageHeader } from '@/components/PageHeader';
import { ProjectFilter } from '@/components/PlaceFilters';
import { eachOf, useFilters } from '@/components/useFilters';

const FILTERS = ['project', 'state'] as const;
const STATES: OperationState[] = ['running', 'waiting', 'succeeded', 'failed', 'superseded'];

export function Page() {
  const { t } = useTranslation();
  const list = useFilters(FILTERS, {
    label: (name) => t(`word.${name}`),
    value: (name, value) =>
      name === 'state' ? eachOf(value, (state) => t(`state.operation.${state as OperationState}`)) : value,
  });
  const operations = useQuery({
    ...read('/api/v1/operations', { params: { query: list.query } }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <PageHeader
        title={t('operations.title')}
        subtitle={t('operations.text')}
        trail={[{ to: '/', label: t('menu.overview') }]}
      />
      <FilterBar {...list.bar}>
        <ProjectFilter {...list.one('project')} />
        <Select
          mode="multiple"
          allowClear
          maxTagCount="responsive"
          aria-label={t('word.state')}
          placeholder={t('word.state')}
          {...list.many('state')}
          options={STATES.map((value) => ({ value, label: t(`state.operation.${value}`) }))}
        />
      </FilterBar>
      <OperationTable query={operations} paging={list.paging} withTarget />
    </>
  );
}
