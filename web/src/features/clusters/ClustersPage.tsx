import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { read } from '@/api/client';
import type { Cluster } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { sortOrder } from '@/components/listState';
import { Observed } from '@/components/Observed';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { clusterPath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { bytes, cores } from '@/components/quantity';
import { rowsOf } from '@/components/rowsOf';
import { UseBar } from '@/components/UseBar';
import { useCores } from '@/components/useCores';
import { useFilters } from '@/components/useFilters';
import { ClusterStateTag } from './ClusterStateTag';

const FILTERS = ['q'] as const;

export function Page() {
  const { t } = useTranslation();
  const withCores = useCores();
  const navigate = useNavigate();
  const list = useFilters(FILTERS, { label: () => t('filter.text') });
  const clusters = useQuery({
    ...read('/api/v1/clusters', { params: { query: list.query } }),
    placeholderData: keepPreviousData,
  });
  const register = (
    <PermitButton
      type="primary"
      icon={<PlusOutlined aria-hidden />}
      permission="cluster:write"
      onClick={() => void navigate('/clusters/new')}
    >
      {t('cluster.register')}
    </PermitButton>
  );
  const bar = (cluster: Cluster, kind: 'cpu' | 'memory') => {
    const { observed } = cluster;
    if (!observed) return <span className="faint">–</span>;
    const field = kind === 'cpu' ? 'cpu_millicores' : 'memory_bytes';
    return (
      <div style={{ minWidth: 136 }}>
        <UseBar
          label=""
          requested={observed.requested[field] ?? 0}
          used={observed.used?.[field]}
          total={observed.allocatable[field] ?? 0}
          format={kind === 'cpu' ? cores : bytes}
          withUnit={kind === 'cpu' ? withCores : undefined}
          stale={observed.stale}
        />
      </div>
    );
  };
  const columns: TableColumnsType<Cluster> = [
    {
      key: 'name',
      title: t('word.name'),
      sorter: true,
      sortOrder: sortOrder(list.sort, 'name'),
      render: (_, { name, region, zone }) => (
        <div>
          <Link to={clusterPath(name)} style={{ fontWeight: 570 }}>
            {name}
          </Link>
          <div className="faint">{[region, zone].filter(Boolean).join(' / ')}</div>
        </div>
      ),
    },
    {
      key: 'state',
      title: t('word.state'),
      render: (_, cluster) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 230 }}>
          <ClusterStateTag cluster={cluster} />
          {cluster.status.state !== 'ready' ? (
            <div className="muted">
              {cluster.status.reason && `${cluster.status.reason} · `}
              <Age at={cluster.status.since} />
            </div>
          ) : (
            cluster.state_reason && <div className="muted">{cluster.state_reason}</div>
          )}
        </div>
      ),
    },
    {
      key: 'nodes',
      title: t('cluster.nodes'),
      render: (_, { observed }) =>
        observed ? (
          <Observed at={observed.observed_at} stale={observed.stale}>
            <span className="number">
              {observed.nodes_ready}/{observed.nodes}
            </span>
          </Observed>
        ) : (
          <span className="faint">–</span>
        ),
    },
    { key: 'cpu', title: 'CPU', responsive: ['md'], render: (_, cluster) => bar(cluster, 'cpu') },
    {
      key: 'memory',
      title: t('word.memory'),
      responsive: ['md'],
      render: (_, cluster) => bar(cluster, 'memory'),
    },
    {
      key: 'holds',
      title: t('menu.services'),
      responsive: ['sm'],
      render: (_, { name, services, assigned_replicas }) => (
        <div>
          <Link to={`/services?cluster=${name}`}>{t('cluster.services', { count: services })}</Link>
          <div className="faint">{t('cluster.replicas', { count: assigned_replicas })}</div>
        </div>
      ),
    },
    {
      key: 'version',
      title: 'Kubernetes',
      responsive: ['lg'],
      render: (_, { observed }) => <span className="mono">{observed?.kubernetes_version ?? '–'}</span>,
    },
  ];
  return (
    <>
      <PageHeader title={t('menu.clusters')} subtitle={t('cluster.list_text')} actions={register} />
      <FilterBar {...list.bar}>
        <SearchFilter {...list.one('q')} placeholder={t('cluster.search')} />
      </FilterBar>
      <DataTable<Cluster>
        label={t('menu.clusters')}
        rowKey="id"
        columns={columns}
        {...rowsOf(clusters)}
        onSort={list.setSort}
        empty={
          <EmptyList
            filtered={Boolean(list.filters.q)}
            title={t('cluster.empty_title')}
            text={t('cluster.empty_text')}
            action={register}
          />
        }
        footer={<Pager paging={list.paging} page={clusters.data} />}
      />
    </>
  );
}
