import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Tag, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import type { SessionSummary } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import type { Rows } from '@/components/rowsOf';
import { usePermission } from './permissions';
import { useSession } from './session';
import { browserName } from './browserName';

interface Props extends Rows<SessionSummary> {
  footer?: React.ReactNode;
  bare?: boolean;
}

/** Where somebody is signed in, and ending it. */
export function SessionTable(table: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const own = useSession().user.name;
  const { allowed } = usePermission('user:write');
  const end = useMutation({
    mutationFn: ({ id }: SessionSummary) =>
      client.DELETE('/api/v1/sessions/{session}', { params: { path: { session: id } } }),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('sessions.ended'));
    },
  });
  const columns: TableColumnsType<SessionSummary> = [
    {
      key: 'where',
      title: t('sessions.where'),
      render: (_, { remote_address, user_agent, current }) => (
        <div>
          {browserName(user_agent) || t('sessions.unknown_browser')}{' '}
          {current && <Tag variant="outlined">{t('sessions.current')}</Tag>}
          <div className="faint mono">{remote_address}</div>
        </div>
      ),
    },
    {
      key: 'since',
      title: t('sessions.since'),
      responsive: ['sm'],
      render: (_, { created_at }) => <Age at={created_at} />,
    },
    { key: 'seen', title: t('sessions.seen'), render: (_, { seen_at }) => <Age at={seen_at} /> },
    {
      key: 'expires',
      title: t('sessions.expires'),
      responsive: ['sm'],
      render: (_, { expires_at }) => <Age at={expires_at} />,
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      render: (_, session) =>
        !session.current &&
        (allowed || session.user === own) && (
          <Button
            size="small"
            danger
            loading={end.isPending && end.variables.id === session.id}
            onClick={() => end.mutate(session)}
          >
            {t('sessions.end')}
          </Button>
        ),
    },
  ];
  return (
    <>
      {end.error && <ErrorPanel inline error={end.error} />}
      <DataTable<SessionSummary>
        {...table}
        label={t('sessions.title')}
        rowKey="id"
        columns={columns}
        empty={<EmptyPanel compact title={t('sessions.none')} text={t('sessions.none_text')} />}
      />
    </>
  );
}
