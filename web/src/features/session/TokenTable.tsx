import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Modal, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import type { ApiToken } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { ErrorPanel } from '@/components/ErrorPanel';
import type { Rows } from '@/components/rowsOf';
import { placeOf } from '@/features/company/scope';
import { usePermission } from './permissions';
import { useSession } from './session';

interface Props extends Rows<ApiToken> {
  empty: React.ReactNode;
  footer?: React.ReactNode;
  bare?: boolean;
}

/** API tokens, what they may do at most, and revoking them. */
export function TokenTable(table: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const own = useSession().user.name;
  const { allowed } = usePermission('user:write');
  const [revoked, setRevoked] = useState<ApiToken>();
  const revoke = useMutation({
    mutationFn: ({ id }: ApiToken) =>
      client.DELETE('/api/v1/api-tokens/{token}', { params: { path: { token: id } } }),
    onSuccess: (_, { name }) => {
      void queries.invalidateQueries();
      void message.success(t('token.revoked', { name }));
      setRevoked(undefined);
    },
  });
  const columns: TableColumnsType<ApiToken> = [
    { key: 'name', title: t('word.name'), render: (_, { name }) => <strong>{name}</strong> },
    {
      key: 'may',
      title: t('token.may'),
      render: (_, { grant }) =>
        grant ? (
          <div>
            {t(`role.${grant.role}`)}
            <div className="faint">{placeOf(grant) || t('company.everywhere')}</div>
          </div>
        ) : (
          <span className="muted">{t('token.may_all')}</span>
        ),
    },
    {
      key: 'created',
      title: t('word.created'),
      responsive: ['sm'],
      render: (_, { created_at }) => <Age at={created_at} />,
    },
    {
      key: 'expires',
      title: t('token.expires'),
      render: (_, { expires_at }) =>
        expires_at ? <Age at={expires_at} /> : <span className="muted">{t('token.never')}</span>,
    },
    {
      key: 'used',
      title: t('token.last_used'),
      responsive: ['sm'],
      render: (_, { last_used_at }) =>
        last_used_at ? <Age at={last_used_at} /> : <span className="faint">{t('token.unused')}</span>,
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      render: (_, token) =>
        (allowed || token.user === own) && (
          <Button size="small" danger onClick={() => setRevoked(token)}>
            {t('token.revoke')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <DataTable<ApiToken> {...table} label={t('session.tokens')} rowKey="id" columns={columns} />
      {revoked && (
        <Modal
          open
          title={t('token.revoke_title', { name: revoked.name })}
          okText={t('token.revoke')}
          okButtonProps={{ danger: true }}
          cancelText={t('action.cancel')}
          confirmLoading={revoke.isPending}
          onOk={() => revoke.mutate(revoked)}
          onCancel={() => setRevoked(undefined)}
        >
          <p>{t('token.revoke_text')}</p>
          {revoke.error && <ErrorPanel inline error={revoke.error} />}
        </Modal>
      )}
    </>
  );
}
