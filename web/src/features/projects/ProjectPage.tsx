import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Skeleton, Tag, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { read } from '@/api/client';
import { asApiError } from '@/api/error';
import type { Environment } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageHeader } from '@/components/PageHeader';
import { clusterPath, projectPath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { rowsOf } from '@/components/rowsOf';
import { TabLinks } from '@/components/TabLinks';
import { QuotaSection } from '@/features/usage/QuotaSection';
import { UsageTab } from '@/features/usage/UsageTab';
import { DeleteEnvironment, DeleteProject } from './DeleteDialogs';
import { EnvironmentModal } from './EnvironmentModal';
import { Members } from './Members';
import { ProjectModal } from './ProjectModal';
import { StorageTab } from './StorageTab';

type Dialog =
  | { kind: 'edit' | 'delete' | 'create_environment' }
  | { kind: 'edit_environment' | 'delete_environment'; environment: Environment };

export function Page() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { project: name = '', tab = 'environments' } = useParams();
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);
  const project = useQuery(read('/api/v1/projects/{project}', { params: { path: { project: name } } }));
  const environments = useQuery(
    read('/api/v1/projects/{project}/environments', { params: { path: { project: name } } }),
  );
  const scope = { project: name };

  const gone = project.error !== null && asApiError(project.error).status === 404;
  if (!project.data || gone) {
    if (!project.error) return <Skeleton active paragraph={{ rows: 6 }} />;
    return gone ? (
      <EmptyPanel whole title={t('project.gone_title', { name })} text={t('project.gone_text')} />
    ) : (
      <ErrorPanel error={project.error} onRetry={() => void project.refetch()} />
    );
  }
  const create = (
    <PermitButton
      type="primary"
      icon={<PlusOutlined aria-hidden />}
      permission="project:write"
      scope={scope}
      onClick={() => setDialog({ kind: 'create_environment' })}
    >
      {t('project.create_environment')}
    </PermitButton>
  );
  const columns: TableColumnsType<Environment> = [
    {
      key: 'name',
      title: t('word.environment'),
      render: (_, environment) => (
        <div>
          <Link to={`/services?project=${name}&environment=${environment.name}`} style={{ fontWeight: 570 }}>
            {environment.name}
          </Link>
          <div className="faint mono">{environment.namespace}</div>
        </div>
      ),
    },
    {
      key: 'clusters',
      title: t('menu.clusters'),
      render: (_, { clusters }) =>
        clusters.length ? (
          <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: 4 }}>
            {clusters.map((cluster) => (
              <Link key={cluster} to={clusterPath(cluster)}>
                <Tag variant="outlined">{cluster}</Tag>
              </Link>
            ))}
          </span>
        ) : (
          <span className="muted">{t('project.every_cluster')}</span>
        ),
    },
    {
      key: 'services',
      title: t('menu.services'),
      render: (_, { services }) => <span className="number">{services}</span>,
    },
    {
      key: 'created',
      title: t('word.created'),
      responsive: ['sm'],
      render: (_, { created_at }) => <Age at={created_at} />,
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      render: (_, environment) => (
        <span style={{ display: 'inline-flex', gap: 6 }}>
          <Button
            size="small"
            onClick={() => void navigate(`/services/new?project=${name}&environment=${environment.name}`)}
          >
            {t('service.create')}
          </Button>
          <PermitButton
            size="small"
            permission="project:write"
            scope={scope}
            onClick={() => setDialog({ kind: 'edit_environment', environment })}
          >
            {t('action.edit')}
          </PermitButton>
          <PermitButton
            size="small"
            danger
            permission="project:write"
            scope={scope}
            blocked={
              environment.services > 0
                ? t('project.environment_in_use', { count: environment.services })
                : undefined
            }
            onClick={() => setDialog({ kind: 'delete_environment', environment })}
          >
            {t('action.delete')}
          </PermitButton>
        </span>
      ),
    },
  ];
  const { data } = project;
  return (
    <>
      <PageHeader
        title={data.display_name || data.name}
        trail={[{ to: '/projects', label: t('menu.projects') }]}
        subtitle={
          <>
            <span className="mono">{data.name}</span>
            {data.description && ` · ${data.description}`}
          </>
        }
        actions={
          <>
            <PermitButton
              permission="project:write"
              scope={scope}
              onClick={() => setDialog({ kind: 'edit' })}
            >
              {t('action.edit')}
            </PermitButton>
            <PermitButton
              danger
              permission="project:write"
              scope={scope}
              blocked={data.services > 0 ? t('project.in_use', { count: data.services }) : undefined}
              onClick={() => setDialog({ kind: 'delete' })}
            >
              {t('action.delete')}
            </PermitButton>
            {create}
          </>
        }
      />
      <TabLinks
        label={name}
        active={tab}
        tabs={[
          { key: 'environments', label: t('word.environments'), to: projectPath(name) },
          { key: 'storage', label: t('volume.title'), to: projectPath(name, 'storage') },
          { key: 'usage', label: t('usage.title'), to: projectPath(name, 'usage') },
        ]}
      />
      {tab === 'usage' ? (
        <UsageTab project={name} />
      ) : tab === 'storage' ? (
        environments.data && <StorageTab project={name} environments={environments.data.items} />
      ) : (
        <>
          <DataTable<Environment>
            label={t('word.environments')}
            rowKey="id"
            columns={columns}
            {...rowsOf(environments)}
            empty={
              <EmptyPanel
                title={t('project.no_environments')}
                text={t('project.no_environments_text')}
                action={create}
              />
            }
          />
          <div style={{ marginTop: 16 }}>
            <QuotaSection project={data} />
          </div>
          <div style={{ marginTop: 16 }}>
            <Members project={name} />
          </div>
        </>
      )}
      {dialog?.kind === 'edit' && <ProjectModal project={data} onClose={close} />}
      {dialog?.kind === 'delete' && <DeleteProject project={data} onClose={close} />}
      {dialog?.kind === 'create_environment' && <EnvironmentModal project={name} onClose={close} />}
      {dialog?.kind === 'edit_environment' && (
        <EnvironmentModal project={name} environment={dialog.environment} onClose={close} />
      )}
      {dialog?.kind === 'delete_environment' && (
        <DeleteEnvironment environment={dialog.environment} onClose={close} />
      )}
    </>
  );
}
