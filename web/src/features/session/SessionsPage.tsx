import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, read } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { rowsOf } from '@/components/rowsOf';
import { useListState } from '@/components/useListState';
import { SessionTable } from './SessionTable';

/** One's own sessions. */
export function Page() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const list = useListState();
  const sessions = useQuery({
    ...read('/api/v1/sessions', { params: { query: { limit: list.limit, cursor: list.cursor } } }),
    placeholderData: keepPreviousData,
  });
  const endOthers = useMutation({
    mutationFn: () => client.DELETE('/api/v1/sessions'),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('sessions.ended_others'));
    },
  });
  const others = (sessions.data?.total_estimate ?? 0) > 1;
  return (
    <>
      <PageHeader
        title={t('sessions.own')}
        subtitle={t('sessions.text')}
        actions={
          <Button danger disabled={!others} loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
            {t('sessions.end_others')}
          </Button>
        }
      />
      {endOthers.error && <ErrorPanel inline error={endOthers.error} />}
      <SessionTable {...rowsOf(sessions)} footer={<Pager paging={list.paging} page={sessions.data} />} />
    </>
  );
}
