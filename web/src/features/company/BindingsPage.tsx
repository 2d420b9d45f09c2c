import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Role } from '@/api/types';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { PermitButton } from '@/components/PermitButton';
import { EnvironmentFilter, ProjectFilter } from '@/components/PlaceFilters';
import { rowsOf } from '@/components/rowsOf';
import { useFilters } from '@/components/useFilters';
import { BindingTable } from './BindingTable';
import { CompanyTabs } from './CompanyTabs';
import { GiveRoleModal } from './GiveRoleModal';
import { RoleFilter } from './RoleFilter';

const FILTERS = ['q', 'role', 'project', 'environment', 'everywhere'] as const;

/** Who has which role where: by person, and by scope. */
export function Page() {
  const { t } = useTranslation();
  const list = useFilters(FILTERS, {
    label: (name) => {
      switch (name) {
        case 'q':
          return t('filter.text');
        case 'role':
          return t('company.role');
        case 'everywhere':
          return t('company.place');
        default:
          return t(`word.${name}`);
      }
    },
    value: (name, value) => {
      if (name === 'role') return t(`role.${value as Role}`);
      return name === 'everywhere' ? t('company.everywhere') : value;
    },
  });
  const { filters } = list;
  const [giving, setGiving] = useState(false);
  const bindings = useQuery({
    ...read('/api/v1/bindings', {
      params: {
        query: {
          q: filters.q,
          role: filters.role as Role | undefined,
          project: filters.project,
          environment: filters.environment,
          everywhere: filters.everywhere === 'true',
          limit: list.limit,
          cursor: list.cursor,
        },
      },
    }),
    placeholderData: keepPreviousData,
  });
  const give = (
    <PermitButton
      type="primary"
      icon={<PlusOutlined aria-hidden />}
      permission="user:write"
      onClick={() => setGiving(true)}
    >
      {t('company.give')}
    </PermitButton>
  );
  return (
    <>
      <PageHeader title={t('company.bindings')} subtitle={t('company.bindings_text')} actions={give} />
      <CompanyTabs active="bindings" />
      <FilterBar {...list.bar}>
        <SearchFilter {...list.one('q')} placeholder={t('company.user')} />
        <RoleFilter {...list.one('role')} />
        <Select
          allowClear
          aria-label={t('company.place')}
          placeholder={t('company.place')}
          {...list.one('everywhere')}
          options={[{ value: 'true', label: t('company.everywhere') }]}
        />
        <ProjectFilter {...list.one('project')} />
        <EnvironmentFilter
          {...list.one('environment')}
          project={filters.project}
          disabled={!filters.project}
        />
      </FilterBar>
      <BindingTable
        label={t('company.bindings')}
        {...rowsOf(bindings)}
        empty={
          <EmptyList
            filtered={list.isFiltered}
            title={t('company.no_bindings')}
            text={t('company.no_bindings_text')}
          />
        }
        footer={<Pager paging={list.paging} page={bindings.data} />}
      />
      {giving && <GiveRoleModal project={filters.project} onClose={() => setGiving(false)} />}
    </>
  );
}
