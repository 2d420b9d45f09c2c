import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { ServiceAddress } from '@/api/types';
import { DataTable } from '@/components/DataTable';
import { servicePath } from '@/components/paths';

/** So many stand in a dialog. */
const SHOWN = 100;

interface Move extends ServiceAddress {
  replicas: number;
}

interface Props<T extends Move> {
  label: string;
  /** What the number of replicas is headed with. */
  replicas: string;
  moves: T[];
  /** Of so many services there are moves. */
  services: number;
  /** What is said beside the service's place. */
  remark?: (move: T) => string;
  /** What else is told of each. */
  columns?: TableColumnsType<T>;
}

/** The moves of a plan, service by service: the first of them, and how many more there are. */
export function MovesTable<T extends Move>(props: Props<T>) {
  const { label, replicas, moves, services, remark, columns = [] } = props;
  const { t } = useTranslation();
  const shown = moves.slice(0, SHOWN);
  const all: TableColumnsType<T> = [
    {
      key: 'service',
      title: t('word.service'),
      render: (_, move) => (
        <div>
          <Link to={servicePath(move)}>{move.service}</Link>
          <div className="faint">
            {move.project} / {move.environment}
            {remark?.(move)}
          </div>
        </div>
      ),
    },
    { key: 'replicas', title: replicas, className: 'number', render: (_, move) => move.replicas },
    ...columns,
  ];
  return (
    <>
      <DataTable<T>
        label={label}
        columns={all}
        rowKey={(move) => servicePath(move)}
        items={shown}
        loading={false}
        error={undefined}
        onRetry={() => undefined}
        empty={null}
      />
      {services > shown.length && (
        <p className="faint">{t('evacuation.more', { count: services - shown.length })}</p>
      )}
    </>
  );
}
