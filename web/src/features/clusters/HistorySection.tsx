import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { ClusterStateChange } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { rowsOf } from '@/components/rowsOf';
import { Section } from '@/components/Section';
import { clusterTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';

const FIRST = 10;
const MOST = 500;

/** What became of a cluster: its states with reasons and times, newest first. */
export function HistorySection({ cluster }: { cluster: string }) {
  const { t } = useTranslation();
  const [limit, setLimit] = useState(FIRST);
  const history = useQuery({
    ...read('/api/v1/clusters/{cluster}/history', { params: { path: { cluster }, query: { limit } } }),
    placeholderData: keepPreviousData,
  });
  const columns: TableColumnsType<ClusterStateChange> = [
    {
      key: 'state',
      title: t('word.state'),
      render: (_, { state }) => <StateTag tone={clusterTone(state)} label={t(`state.cluster.${state}`)} />,
    },
    { key: 'at', title: t('cluster.changed_at'), render: (_, { at }) => <Age at={at} /> },
    {
      key: 'reason',
      title: t('cluster.why'),
      render: (_, { reason }) => <div style={{ whiteSpace: 'normal' }}>{reason}</div>,
    },
  ];
  return (
    <Section title={t('cluster.history')} flush>
      <DataTable<ClusterStateChange>
        bare
        label={t('cluster.history')}
        columns={columns}
        rowKey={({ at, state }) => `${at} ${state}`}
        {...rowsOf(history)}
        empty={<p className="faint">{t('cluster.no_history')}</p>}
      />
      {history.data?.next_cursor && limit < MOST && (
        <Button type="link" onClick={() => setLimit(Math.min(limit * 4, MOST))}>
          {t('cluster.older')}
        </Button>
      )}
    </Section>
  );
}
