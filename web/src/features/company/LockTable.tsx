import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import type { SignInLock } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PermitButton } from '@/components/PermitButton';
import type { Rows } from '@/components/rowsOf';

interface Props extends Rows<SignInLock> {
  empty: React.ReactNode;
  footer?: React.ReactNode;
  bare?: boolean;
}

/** Names and addresses that are closed after failed sign-ins, and opening them. */
export function LockTable(table: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const lift = useMutation({
    mutationFn: ({ id }: SignInLock) =>
      client.DELETE('/api/v1/sign-in-locks/{lock}', { params: { path: { lock: id } } }),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('company.lifted'));
    },
  });
  const columns: TableColumnsType<SignInLock> = [
    {
      key: 'name',
      title: t('company.user'),
      render: (_, { name }) => name ?? <span className="muted">{t('company.any_name')}</span>,
    },
    {
      key: 'address',
      title: t('company.address'),
      render: (_, { address }) => <span className="mono">{address}</span>,
    },
    {
      key: 'failures',
      title: t('company.failures'),
      responsive: ['sm'],
      render: (_, { failures }) => <span className="number">{failures}</span>,
    },
    {
      key: 'until',
      title: t('company.closed_until'),
      render: (_, { closed_until }) => <Age at={closed_until} />,
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      render: (_, lock) => (
        <PermitButton
          size="small"
          permission="user:write"
          loading={lift.isPending && lift.variables.id === lock.id}
          onClick={() => lift.mutate(lock)}
        >
          {t('company.lift')}
        </PermitButton>
      ),
    },
  ];
  return (
    <>
      {lift.error && <ErrorPanel inline error={lift.error} />}
      <DataTable<SignInLock> {...table} label={t('company.locks')} rowKey="id" columns={columns} />
    </>
  );
}
