import type { UseQueryResult } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Page, Pod } from '@/api/types';
import { Age } from '@/components/Age';
import { useColumnChoice } from '@/components/ColumnChooser';
import { DataTable } from '@/components/DataTable';
import { Image } from '@/components/Image';
import { sortOrder } from '@/components/listState';
import { Observed } from '@/components/Observed';
import { clusterPath, servicePath } from '@/components/paths';
import { podTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';
import type { Selection } from '@/components/bulk/useSelection';
import { rowsOf } from '@/components/rowsOf';
import { podKey } from './podKey';
import { usePodLink } from './usePodLink';

interface Props {
  query: UseQueryResult<Page<Pod>>;
  onSort: (sort: string | undefined) => void;
  columns: TableColumnsType<Pod>;
  selection: Selection<Pod>;
  empty: React.ReactNode;
  footer: React.ReactNode;
}

const CHOICE = { fixed: ['name'], extra: ['namespace', 'observed_at'] };

/** The columns of a list of pods, as they were chosen here before. */
export function usePodColumns(sort: string | undefined, withService: boolean) {
  const { t } = useTranslation();
  const podLink = usePodLink();
  const sortable = (field: string) => ({ sorter: true, sortOrder: sortOrder(sort, field) });
  const columns: TableColumnsType<Pod> = [
    {
      key: 'name',
      title: t('word.name'),
      ...sortable('name'),
      render: (_, pod) => {
        const to = podLink(pod);
        return (
          <div>
            {to ? (
              <Link to={to} className="mono" preventScrollReset>
                {pod.name}
              </Link>
            ) : (
              <span className="mono">{pod.name}</span>
            )}
            <div className="faint">{pod.ip}</div>
          </div>
        );
      },
    },
    {
      key: 'status',
      title: t('word.state'),
      ...sortable('status'),
      render: (_, pod) => <PodState pod={pod} />,
    },
    ...(withService ? [serviceColumn(t('word.service'))] : []),
    {
      key: 'cluster',
      title: t('word.cluster'),
      ...sortable('cluster'),
      render: (_, { cluster, node }) => (
        <div>
          <Link to={clusterPath(cluster)}>{cluster}</Link>
          <div className="faint">{node ?? t('pod.no_node')}</div>
        </div>
      ),
    },
    {
      key: 'revision',
      title: t('word.revision'),
      responsive: ['md'],
      render: (_, { revision, image }) => (
        <div>
          <span className="number">{revision ?? '–'}</span>
          <div className="faint">
            <Image image={image} />
          </div>
        </div>
      ),
    },
    {
      key: 'ready',
      title: t('word.ready'),
      responsive: ['sm'],
      render: (_, { containers_ready, containers, stale }) => (
        <span className={`number ${stale ? 'faint' : ''}`}>
          {containers_ready}/{containers}
        </span>
      ),
    },
    {
      key: 'restarts',
      title: t('word.restarts'),
      responsive: ['sm'],
      ...sortable('restarts'),
      render: (_, { restarts }) => (
        <span className={`number ${restarts === 0 ? 'faint' : ''}`}>{restarts}</span>
      ),
    },
    {
      key: 'created_at',
      title: t('word.created'),
      ...sortable('created_at'),
      render: (_, { created_at }) => <Age at={created_at} />,
    },
    {
      key: 'namespace',
      title: t('pod.namespace'),
      render: (_, { namespace }) => <span className="mono">{namespace}</span>,
    },
    {
      key: 'observed_at',
      title: t('assignment.seen'),
      render: (_, { observed_at }) => <Age at={observed_at} />,
    },
  ];
  return useColumnChoice(withService ? 'containers' : 'service-containers', columns, CHOICE);
}

/** Pods with their containers, as the platform's users call them. */
export function PodTable({ query, onSort, columns, selection, empty, footer }: Props) {
  const { t } = useTranslation();
  return (
    <DataTable<Pod>
      label={t('menu.containers')}
      rowKey={podKey}
      columns={columns}
      selection={{ ...selection, labelOf: ({ name }) => name }}
      {...rowsOf(query)}
      onSort={onSort}
      empty={empty}
      footer={footer}
    />
  );
}

/** A pod's state as it is; what was last seen of one whose cluster doesn't answer. */
function PodState({ pod }: { pod: Pod }) {
  const { t } = useTranslation();
  if (pod.stale) {
    return (
      <span>
        <StateTag tone="unknown" label={t('state.service.unknown')} />{' '}
        <Observed at={pod.observed_at} stale>
          {pod.status}
        </Observed>
      </span>
    );
  }
  const waits = pod.status === 'Running' && !pod.ready;
  return (
    <StateTag
      tone={podTone(pod)}
      label={waits ? t('pod.not_ready') : podWord(pod.status, t('pod.running'))}
    />
  );
}

/** Kubernetes' own words stay as they are: they are what people search for. */
function podWord(status: string, running: string): string {
  return status === 'Running' ? running : status;
}

function serviceColumn(title: string): TableColumnsType<Pod>[number] {
  return {
    key: 'service',
    title,
    render: (_: unknown, { project, environment, service, namespace }: Pod) =>
      project && environment && service ? (
        <div>
          <Link to={servicePath({ project, environment, service })}>{service}</Link>
          <div className="faint">
            {project} / {environment}
          </div>
        </div>
      ) : (
        <span className="faint">{namespace}</span>
      ),
  };
}
