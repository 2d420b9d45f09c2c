import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import type { Role, User } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { PermitButton } from '@/components/PermitButton';
import { rowsOf } from '@/components/rowsOf';
import { useFilters } from '@/components/useFilters';
import { CompanyTabs } from './CompanyTabs';
import { CreateUserModal } from './CreateUserModal';
import { RoleFilter } from './RoleFilter';
import { UserTags } from './UserTags';

const FILTERS = ['q', 'disabled', 'role'] as const;

/** Everybody who can sign in. */
export function Page() {
  const { t } = useTranslation();
  const states = [
    { value: 'false', label: t('company.enabled') },
    { value: 'true', label: t('company.disabled') },
  ];
  const list = useFilters(FILTERS, {
    label: (name) => ({ q: t('filter.text'), disabled: t('word.state'), role: t('company.role') })[name],
    value: (name, value) => {
      if (name === 'role') return t(`role.${value as Role}`);
      return name === 'disabled' ? (states.find((state) => state.value === value)?.label ?? value) : value;
    },
  });
  const { filters } = list;
  const [creating, setCreating] = useState(false);
  const users = useQuery({
    ...read('/api/v1/users', {
      params: {
        query: {
          q: filters.q,
          disabled: filters.disabled === undefined ? undefined : filters.disabled === 'true',
          role: filters.role as Role | undefined,
          sort: list.sort,
          limit: list.limit,
          cursor: list.cursor,
        },
      },
    }),
    placeholderData: keepPreviousData,
  });
  const columns: TableColumnsType<User> = [
    {
      key: 'name',
      title: t('company.user'),
      sorter: true,
      render: (_, { name, display_name }) => (
        <div>
          <Link to={`/company/users/${name}`} style={{ fontWeight: 570 }}>
            {name}
          </Link>
          {display_name && display_name !== name && <div className="faint">{display_name}</div>}
        </div>
      ),
    },
    { key: 'email', title: t('company.email'), responsive: ['md'], render: (_, { email }) => email },
    { key: 'state', title: t('word.state'), render: (_, user) => <UserTags user={user} /> },
    {
      key: 'seen',
      title: t('company.last_sign_in'),
      render: (_, { last_sign_in_at }) =>
        last_sign_in_at ? <Age at={last_sign_in_at} /> : <span className="faint">{t('company.never')}</span>,
    },
    {
      key: 'created_at',
      title: t('word.created'),
      sorter: true,
      responsive: ['sm'],
      render: (_, { created_at }) => <Age at={created_at} />,
    },
  ];
  return (
    <>
      <PageHeader
        title={t('company.users')}
        subtitle={t('company.users_text')}
        actions={
          <PermitButton
            type="primary"
            icon={<PlusOutlined aria-hidden />}
            permission="user:write"
            onClick={() => setCreating(true)}
          >
            {t('company.create_user')}
          </PermitButton>
        }
      />
      <CompanyTabs active="users" />
      <FilterBar {...list.bar}>
        <SearchFilter {...list.one('q')} placeholder={t('company.users_search')} />
        <Select
          allowClear
          aria-label={t('word.state')}
          placeholder={t('word.state')}
          {...list.one('disabled')}
          options={states}
        />
        <RoleFilter {...list.one('role')} />
      </FilterBar>
      <DataTable<User>
        label={t('company.users')}
        rowKey="id"
        columns={columns}
        {...rowsOf(users)}
        onSort={list.setSort}
        empty={
          <EmptyList
            filtered={list.isFiltered}
            title={t('company.no_users')}
            text={t('company.users_text')}
          />
        }
        footer={<Pager paging={list.paging} page={users.data} />}
      />
      {creating && <CreateUserModal onClose={() => setCreating(false)} />}
    </>
  );
}
