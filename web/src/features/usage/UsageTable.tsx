import type { UseQueryResult } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Page, UsageItem } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Pager } from '@/components/Pager';
import { servicePath } from '@/components/paths';
import { rowsOf } from '@/components/rowsOf';
import type { Paging } from '@/components/useListState';
import { figure, money } from './figures';
import { Used } from './Used';
import styles from './usage.module.css';

interface Props {
  query: UseQueryResult<Page<UsageItem>>;
  paging: Paging;
  /** Some of it held GPUs. */
  equipped: boolean;
  /** Some of it was storage. */
  stored: boolean;
  /** None while nothing has a price. */
  currency: string | undefined;
}

/** The range's sums by service. */
export function UsageTable({ query, paging, equipped, stored, currency }: Props) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const number = (
    key: string,
    title: string,
    value: (item: UsageItem) => React.ReactNode,
    unit?: string,
  ) => ({
    key,
    title: unit ? (
      <>
        {title} <span className={styles.unit}>{unit}</span>
      </>
    ) : (
      title
    ),
    align: 'end' as const,
    render: (_: unknown, item: UsageItem) => <span className="number">{value(item)}</span>,
  });
  const cpu = t('usage.unit_cpu');
  const memory = t('usage.unit_memory');
  const columns: TableColumnsType<UsageItem> = [
    {
      key: 'service',
      title: t('word.service'),
      render: (_, { project, environment, service }) => (
        <div>
          <Link
            to={servicePath({
              project: project ?? '',
              environment: environment ?? '',
              service: service ?? '',
            })}
            style={{ fontWeight: 570 }}
          >
            {service}
          </Link>
          <div className="faint">{environment}</div>
        </div>
      ),
    },
    number('pods', t('usage.pod_hours'), (item) => figure(item.pod_hours, tag)),
    number('cpu', t('usage.cpu_requested'), (item) => figure(item.cpu_core_hours, tag), cpu),
    number(
      'cpu_used',
      t('usage.cpu_used'),
      (item) => <Used value={item.cpu_used_core_hours} measured={item.measured} />,
      cpu,
    ),
    number('memory', t('usage.memory_requested'), (item) => figure(item.memory_gib_hours, tag), memory),
    number(
      'memory_used',
      t('usage.memory_used'),
      (item) => <Used value={item.memory_used_gib_hours} measured={item.measured} />,
      memory,
    ),
    number('gap', t('usage.gap_hours'), (item) =>
      item.gap_hours > 0 ? figure(item.gap_hours, tag) : <span className="faint">–</span>,
    ),
  ];
  if (equipped) {
    columns.splice(
      -1,
      0,
      number('gpu', t('usage.gpu_requested'), (item) => figure(item.gpu_hours, tag), t('usage.unit_gpu')),
    );
  }
  if (stored) {
    columns.splice(
      -1,
      0,
      number('storage', t('usage.storage_held'), (item) => figure(item.storage_gib_hours, tag), memory),
    );
  }
  if (currency) {
    columns.push(number('cost', t('usage.cost'), (item) => money(item.cost ?? 0, currency, tag)));
  }
  return (
    <DataTable<UsageItem>
      label={t('usage.by_service')}
      rowKey={({ environment, service }) => `${environment}/${service}`}
      columns={columns}
      {...rowsOf(query)}
      empty={<EmptyPanel compact title={t('usage.empty_title')} text={t('usage.empty_text')} />}
      footer={<Pager paging={paging} page={query.data} />}
    />
  );
}
