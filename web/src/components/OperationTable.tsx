import type { UseQueryResult } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Operation, Page } from '@/api/types';
import { Age } from './Age';
import { DataTable } from './DataTable';
import { EmptyPanel } from './EmptyPanel';
import { OperationSteps } from './OperationSteps';
import { Pager } from './Pager';
import { clusterPath, servicePath } from './paths';
import { rowsOf } from './rowsOf';
import { ShortMessage } from './ShortMessage';
import { operationTone } from './status';
import { StateTag } from './StateTag';
import { shortDuration } from './time';
import type { Paging } from './useListState';
import { useNow } from './useNow';
import { useOperationTitle } from './useOperationTitle';

interface Props {
  query: UseQueryResult<Page<Operation>>;
  paging: Paging;
  withTarget: boolean;
}

export function OperationTable({ query, paging, withTarget }: Props) {
  const { t } = useTranslation();
  const title = useOperationTitle();
  const columns: TableColumnsType<Operation> = [
    {
      key: 'state',
      title: t('word.state'),
      render: (_, { state }) => (
        <StateTag tone={operationTone(state)} label={t(`state.operation.${state}`)} />
      ),
    },
    {
      key: 'title',
      title: t('word.operation'),
      render: (_, operation) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 460 }}>
          {title(operation)}
          {operation.message && <ShortMessage message={operation.message} />}
        </div>
      ),
    },
    ...(withTarget ? [targetColumn(t('word.target'))] : []),
    { key: 'by', title: t('word.by'), responsive: ['sm'], render: (_, { requested_by }) => requested_by },
    { key: 'at', title: t('word.started'), render: (_, { created_at }) => <Age at={created_at} /> },
    {
      key: 'took',
      title: t('word.took'),
      responsive: ['md'],
      render: (_, operation) => <Took operation={operation} />,
    },
  ];
  return (
    <DataTable<Operation>
      label={t('operations.title')}
      rowKey="id"
      columns={columns}
      {...rowsOf(query)}
      expandable={{ expandedRowRender: (operation) => <OperationSteps operation={operation} /> }}
      empty={<EmptyPanel compact title={t('operations.empty_title')} text={t('operations.empty_text')} />}
      footer={<Pager paging={paging} page={query.data} />}
    />
  );
}

function targetColumn(title: string): TableColumnsType<Operation>[number] {
  return {
    key: 'target',
    title,
    render: (_: unknown, { project, environment, service, cluster }: Operation) => {
      if (project && environment && service) {
        return (
          <Link
            to={servicePath({ project, environment, service })}
          >{`${project}/${environment}/${service}`}</Link>
        );
      }
      return cluster ? <Link to={clusterPath(cluster)}>{cluster}</Link> : <span className="faint">–</span>;
    },
  };
}

function Took({ operation }: { operation: Operation }) {
  const now = useNow();
  const end = operation.finished_at ? Date.parse(operation.finished_at) : now;
  return <span className="number">{shortDuration(end - Date.parse(operation.created_at))}</span>;
}
