import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Modal, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client } from '@/api/client';
import type { Binding } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { ErrorPanel } from '@/components/ErrorPanel';
import { projectPath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import type { Rows } from '@/components/rowsOf';
import { usePermission } from '@/features/session/permissions';
import { useSession } from '@/features/session/session';
import { placeOf } from './scope';

interface Props extends Rows<Binding> {
  label: string;
  empty: React.ReactNode;
  footer?: React.ReactNode;
  bare?: boolean;
  /** The page is about one user, who needs no column. */
  ofUser?: boolean;
  /** The page is about one project, whose owners take roles in it away. */
  project?: string;
}

/** Who has which role where, and taking it away. */
export function BindingTable({ ofUser = false, project, ...table }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [taken, setTaken] = useState<Binding>();
  const own = useSession().user.name;
  const sees = usePermission('user:read').allowed;
  const take = useMutation({
    mutationFn: async ({ id: binding, grant: { environment } }: Binding) => {
      if (project === undefined) {
        await client.DELETE('/api/v1/bindings/{binding}', { params: { path: { binding } } });
      } else if (environment) {
        await client.DELETE('/api/v1/projects/{project}/environments/{environment}/members/{binding}', {
          params: { path: { project, environment, binding } },
        });
      } else {
        await client.DELETE('/api/v1/projects/{project}/members/{binding}', {
          params: { path: { project, binding } },
        });
      }
    },
    onSuccess: (_, { user, grant }) => {
      void queries.invalidateQueries();
      void message.success(t('company.taken', { user, role: t(`role.${grant.role}`) }));
      setTaken(undefined);
    },
  });
  const columns: TableColumnsType<Binding> = [
    {
      key: 'user',
      title: t('company.user'),
      hidden: ofUser,
      render: (_, { user }) => (sees ? <Link to={`/company/users/${user}`}>{user}</Link> : user),
    },
    { key: 'role', title: t('company.role'), render: (_, { grant }) => t(`role.${grant.role}`) },
    {
      key: 'place',
      title: t(project === undefined ? 'company.place' : 'word.environment'),
      render: (_, { grant }) => {
        if (project !== undefined)
          return grant.environment ?? <Muted text={t('company.every_environment')} />;
        if (!grant.project) return <Muted text={t('company.everywhere')} />;
        return <Link to={projectPath(grant.project)}>{placeOf(grant)}</Link>;
      },
    },
    {
      key: 'given',
      title: t('company.given_at'),
      responsive: ['sm'],
      render: (_, { created_at, created_by }) => (
        <>
          <Age at={created_at} /> <span className="faint">{created_by}</span>
        </>
      ),
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      render: (_, binding) => (
        <PermitButton
          size="small"
          danger
          permission={project === undefined ? 'user:write' : 'member:write'}
          scope={
            project === undefined ? {} : { project, environment: binding.grant.environment ?? undefined }
          }
          onClick={() => setTaken(binding)}
        >
          {t('company.take')}
        </PermitButton>
      ),
    },
  ];
  return (
    <>
      <DataTable<Binding> {...table} rowKey="id" columns={columns} />
      {taken && (
        <Modal
          open
          title={t('company.take_title', { user: taken.user, role: t(`role.${taken.grant.role}`) })}
          okText={t('company.take')}
          okButtonProps={{ danger: true }}
          cancelText={t('action.cancel')}
          confirmLoading={take.isPending}
          onOk={() => take.mutate(taken)}
          onCancel={() => {
            take.reset();
            setTaken(undefined);
          }}
        >
          <p>{t('company.take_text', { place: placeOf(taken.grant) || t('company.everywhere') })}</p>
          {taken.user === own && <p>{t('company.take_own')}</p>}
          {take.error && <ErrorPanel inline error={take.error} />}
        </Modal>
      )}
    </>
  );
}

function Muted({ text }: { text: string }) {
  return <span className="muted">{text}</span>;
}
