import type { UseQueryResult } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Page, PodEvent } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { rowsOf } from '@/components/rowsOf';
import { StateTag } from '@/components/StateTag';

export function EventTable({ query, bare }: { query: UseQueryResult<Page<PodEvent>>; bare?: boolean }) {
  const { t } = useTranslation();
  const columns: TableColumnsType<PodEvent> = [
    {
      key: 'kind',
      title: t('event.kind'),
      render: (_, { kind }) => (
        <StateTag
          tone={kind === 'Warning' ? 'degraded' : 'stopped'}
          label={t(kind === 'Warning' ? 'event.warning' : 'event.normal')}
        />
      ),
    },
    { key: 'last', title: t('event.last'), render: (_, { last_seen }) => <Age at={last_seen} /> },
    {
      key: 'reason',
      title: t('event.reason'),
      render: (_, { reason, message }) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 'min(480px, 62vw)', overflowWrap: 'anywhere' }}>
          <strong>{reason}</strong>
          <div className="muted">{message}</div>
        </div>
      ),
    },
    {
      key: 'object',
      title: t('event.object'),
      responsive: ['md'],
      render: (_, { object, cluster }) => (
        <div>
          <span className="mono">{object}</span>
          <div className="faint">{cluster}</div>
        </div>
      ),
    },
    {
      key: 'count',
      title: t('event.count'),
      responsive: ['sm'],
      render: (_, { count }) => <span className="number">{count}</span>,
    },
  ];
  return (
    <DataTable<PodEvent>
      bare={bare}
      label={t('service.tab_events')}
      rowKey={({ cluster, object, reason, message, first_seen }) =>
        [cluster, object, reason, message, first_seen].join('|')
      }
      columns={columns}
      {...rowsOf(query)}
      empty={<EmptyPanel compact title={t('event.empty_title')} text={t('event.empty_text')} />}
    />
  );
}
