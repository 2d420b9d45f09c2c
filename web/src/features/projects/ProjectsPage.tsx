import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Tag, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { read } from '@/api/client';
import type { Project } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { sortOrder } from '@/components/listState';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { projectPath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { rowsOf } from '@/components/rowsOf';
import { useFilters } from '@/components/useFilters';
import { ProjectModal } from './ProjectModal';

const FILTERS = ['q'] as const;
/** In the URL, so that other pages can lead straight to the dialog. */
const CREATE = 'create';

export function Page() {
  const { t } = useTranslation();
  const list = useFilters(FILTERS, { label: () => t('filter.text') });
  const [search, setSearch] = useSearchParams();
  const setCreating = (open: boolean) => {
    const next = new URLSearchParams(search);
    if (open) next.set(CREATE, '');
    else next.delete(CREATE);
    setSearch(next, { replace: true });
  };
  const projects = useQuery({
    ...read('/api/v1/projects', { params: { query: list.query } }),
    placeholderData: keepPreviousData,
  });
  const create = (
    <PermitButton
      type="primary"
      icon={<PlusOutlined aria-hidden />}
      permission="project:write"
      onClick={() => setCreating(true)}
    >
      {t('project.create')}
    </PermitButton>
  );
  const columns: TableColumnsType<Project> = [
    {
      key: 'name',
      title: t('word.name'),
      sorter: true,
      sortOrder: sortOrder(list.sort, 'name'),
      render: (_, { name, display_name }) => (
        <div>
          <Link to={projectPath(name)} style={{ fontWeight: 570 }}>
            {name}
          </Link>
          <div className="faint">{display_name !== name && display_name}</div>
        </div>
      ),
    },
    {
      key: 'environments',
      title: t('word.environments'),
      render: (_, { name, environments }) =>
        environments.length ? (
          <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: 4 }}>
            {environments.map((environment) => (
              <Link key={environment} to={`/services?project=${name}&environment=${environment}`}>
                <Tag variant="outlined">{environment}</Tag>
              </Link>
            ))}
          </span>
        ) : (
          <Link to={projectPath(name)}>{t('project.create_environment')}</Link>
        ),
    },
    {
      key: 'services',
      title: t('menu.services'),
      render: (_, { name, services }) => (
        <Link to={`/services?project=${name}`} className="number">
          {services}
        </Link>
      ),
    },
    {
      key: 'description',
      title: t('word.description'),
      responsive: ['md'],
      render: (_, { description }) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 420 }}>{description}</div>
      ),
    },
    {
      key: 'created_at',
      title: t('word.created'),
      responsive: ['sm'],
      render: (_, { created_at }) => <Age at={created_at} />,
    },
  ];
  return (
    <>
      <PageHeader title={t('menu.projects')} subtitle={t('project.list_text')} actions={create} />
      <FilterBar {...list.bar}>
        <SearchFilter {...list.one('q')} placeholder={t('project.search')} />
      </FilterBar>
      <DataTable<Project>
        label={t('menu.projects')}
        rowKey="id"
        columns={columns}
        {...rowsOf(projects)}
        onSort={list.setSort}
        empty={
          <EmptyList
            filtered={Boolean(list.filters.q)}
            title={t('project.empty_title')}
            text={t('project.empty_text')}
            action={create}
          />
        }
        footer={<Pager paging={list.paging} page={projects.data} />}
      />
      {search.has(CREATE) && <ProjectModal onClose={() => setCreating(false)} />}
    </>
  );
}
