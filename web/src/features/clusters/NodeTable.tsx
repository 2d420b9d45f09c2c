import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import type { ClusterNode } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Observed } from '@/components/Observed';
import { Pager } from '@/components/Pager';
import { bytes, cores } from '@/components/quantity';
import { rowsOf } from '@/components/rowsOf';
import { StateTag } from '@/components/StateTag';
import { UseBar } from '@/components/UseBar';
import { useCores } from '@/components/useCores';
import { useListState } from '@/components/useListState';

export function NodeTable({ cluster }: { cluster: string }) {
  const { t } = useTranslation();
  const { limit, cursor, paging } = useListState();
  const withCores = useCores();
  const nodes = useQuery({
    ...read('/api/v1/clusters/{cluster}/nodes', { params: { path: { cluster }, query: { limit, cursor } } }),
    placeholderData: keepPreviousData,
  });
  const equipped = nodes.data?.items.some(({ allocatable }) => (allocatable.gpus ?? 0) > 0);
  const bar = (node: ClusterNode, field: 'cpu_millicores' | 'memory_bytes') => (
    <div style={{ minWidth: 150 }}>
      <UseBar
        label=""
        requested={node.requested[field] ?? 0}
        used={node.used?.[field]}
        total={node.allocatable[field] ?? 0}
        format={field === 'cpu_millicores' ? cores : bytes}
        withUnit={field === 'cpu_millicores' ? withCores : undefined}
        stale={node.stale}
      />
    </div>
  );
  const columns: TableColumnsType<ClusterNode> = [
    {
      key: 'name',
      title: t('pod.node'),
      render: (_, { name, internal_ip, roles }) => (
        <div>
          <Link to={`/containers?cluster=${cluster}&node=${name}`} className="mono">
            {name}
          </Link>
          <div className="faint">{[internal_ip, ...roles].filter(Boolean).join(' · ')}</div>
        </div>
      ),
    },
    {
      key: 'state',
      title: t('word.state'),
      render: (_, node) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 280 }}>
          <Observed at={node.observed_at} stale={node.stale}>
            <StateTag
              tone={node.stale ? 'unknown' : node.ready ? 'running' : 'failed'}
              label={t(node.stale ? 'state.service.unknown' : node.ready ? 'word.ready' : 'pod.not_ready')}
            />
          </Observed>
          {node.unschedulable && <div className="muted">{t('cluster.node_cordoned')}</div>}
          {node.message && <div className="muted">{node.message}</div>}
        </div>
      ),
    },
    { key: 'cpu', title: 'CPU', render: (_, node) => bar(node, 'cpu_millicores') },
    {
      key: 'memory',
      title: t('word.memory'),
      responsive: ['sm'],
      render: (_, node) => bar(node, 'memory_bytes'),
    },
    ...(equipped
      ? [
          {
            key: 'gpus',
            title: t('word.gpus'),
            render: (_: unknown, { requested, allocatable }: ClusterNode) => (
              <span className="number">
                {requested.gpus ?? 0}/{allocatable.gpus ?? 0}
              </span>
            ),
          },
        ]
      : []),
    {
      key: 'pods',
      title: t('word.pods'),
      responsive: ['md'],
      render: (_, { requested, allocatable }) => (
        <span className="number">
          {requested.pods}/{allocatable.pods}
        </span>
      ),
    },
    {
      key: 'version',
      title: 'Kubelet',
      responsive: ['lg'],
      render: (_, { kubelet_version }) => <span className="mono">{kubelet_version}</span>,
    },
    {
      key: 'age',
      title: t('word.created'),
      responsive: ['md'],
      render: (_, { created_at }) => <Age at={created_at} />,
    },
  ];
  return (
    <DataTable<ClusterNode>
      label={t('cluster.nodes')}
      rowKey="name"
      columns={columns}
      {...rowsOf(nodes)}
      empty={<EmptyPanel compact title={t('cluster.no_nodes')} text={t('cluster.no_nodes_text')} />}
      footer={<Pager paging={paging} page={nodes.data} />}
    />
  );
}
