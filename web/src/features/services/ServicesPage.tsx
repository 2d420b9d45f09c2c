import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { read } from '@/api/client';
import type { Service, ServiceState } from '@/api/types';
import { useSelection } from '@/components/bulk/useSelection';
import { useColumnChoice } from '@/components/ColumnChooser';
import { DataTable } from '@/components/DataTable';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { PermitButton } from '@/components/PermitButton';
import { StateIcon } from '@/components/StateIcon';
import { SERVICE_STATES } from '@/components/status';
import { useServiceStateWord } from '@/components/StateTag';
import { ClusterFilter, EnvironmentFilter, ProjectFilter } from '@/components/PlaceFilters';
import { rowsOf } from '@/components/rowsOf';
import { eachOf, useFilters } from '@/components/useFilters';
import { ServiceAction, type ServiceActionChoice } from './actions/ServiceAction';
import { ServiceBulkBar } from './bulk/ServiceBulkBar';
import { EXTRA_COLUMNS, useServiceColumns } from './useServiceColumns';

const keyOf = ({ id }: Service) => id;
const COLUMNS = { fixed: ['name', 'actions'], extra: EXTRA_COLUMNS };

const FILTERS = ['q', 'project', 'environment', 'state', 'cluster'] as const;

export function Page() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const stateWord = useServiceStateWord();
  const list = useFilters(FILTERS, {
    label: (name) => (name === 'q' ? t('filter.text') : t(`word.${name}`)),
    value: (name, value) =>
      name === 'state' ? eachOf(value, (state) => stateWord(state as ServiceState)) : value,
  });
  const { filters } = list;
  const [action, setAction] = useState<ServiceActionChoice>();
  const services = useQuery({
    ...read('/api/v1/services', { params: { query: list.query } }),
    placeholderData: keepPreviousData,
  });
  const { columns, chooser } = useColumnChoice('services', useServiceColumns(list.sort, setAction), COLUMNS);
  const selection = useSelection(services.data?.items, keyOf);

  const create = (
    <PermitButton
      permission="service:write"
      scope="anywhere"
      type="primary"
      icon={<PlusOutlined aria-hidden />}
      onClick={() => void navigate('/services/new')}
    >
      {t('service.create')}
    </PermitButton>
  );

  return (
    <>
      <PageHeader title={t('menu.services')} subtitle={t('service.list_text')} actions={create} />
      <FilterBar {...list.bar} extra={chooser}>
        <SearchFilter {...list.one('q')} placeholder={t('service.search')} />
        <ProjectFilter {...list.one('project')} />
        <EnvironmentFilter {...list.one('environment')} project={filters.project} />
        <Select
          mode="multiple"
          allowClear
          maxTagCount="responsive"
          aria-label={t('word.state')}
          placeholder={t('word.state')}
          {...list.many('state')}
          options={SERVICE_STATES.map((value) => ({ value, label: stateWord(value) }))}
          optionRender={({ value, label }) => (
            <span style={{ display: 'inline-flex', alignItems: 'center', gap: 6 }}>
              <StateIcon tone={value as ServiceState} />
              {label}
            </span>
          )}
        />
        <ClusterFilter {...list.one('cluster')} />
      </FilterBar>
      <DataTable<Service>
        label={t('menu.services')}
        rowKey="id"
        columns={columns}
        selection={{ ...selection, labelOf: ({ name }) => name }}
        {...rowsOf(services)}
        onSort={list.setSort}
        empty={
          <EmptyList
            filtered={list.isFiltered}
            title={t('service.empty_title')}
            text={t('service.empty_text')}
            action={create}
          />
        }
        footer={<Pager paging={list.paging} page={services.data} />}
      />
      <ServiceBulkBar selection={selection} />
      <ServiceAction choice={action} onClose={() => setAction(undefined)} />
    </>
  );
}
