import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { rowsOf } from '@/components/rowsOf';
import { useFilters } from '@/components/useFilters';
import { CompanyTabs } from './CompanyTabs';
import { LockTable } from './LockTable';

const FILTERS = ['q'] as const;

export function Page() {
  const { t } = useTranslation();
  const list = useFilters(FILTERS, { label: () => t('filter.text') });
  const { q } = list.filters;
  const locks = useQuery({
    ...read('/api/v1/sign-in-locks', { params: { query: { q, limit: list.limit, cursor: list.cursor } } }),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
  return (
    <>
      <PageHeader title={t('company.locks')} subtitle={t('company.locks_text')} />
      <CompanyTabs active="locks" />
      <FilterBar {...list.bar}>
        <SearchFilter {...list.one('q')} placeholder={t('company.locks_search')} />
      </FilterBar>
      <LockTable
        {...rowsOf(locks)}
        empty={
          <EmptyList filtered={Boolean(q)} title={t('company.no_locks')} text={t('company.no_locks_text')} />
        }
        footer={<Pager paging={list.paging} page={locks.data} />}
      />
    </>
  );
}
