import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client } from '@/api/client';
import type { Environment, Project } from '@/api/types';
import { TypeNameModal } from '@/components/TypeNameModal';

export function DeleteProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { name } = project;
  const remove = useMutation({
    mutationFn: () =>
      client.DELETE('/api/v1/projects/{project}', {
        params: { path: { project: name } },
      }),
    onSuccess: () => {
      void navigate('/projects');
      void queries.invalidateQueries();
      void message.success(t('project.deleted', { name }));
    },
  });
  return (
    <TypeNameModal
      name={name}
      title={t('project.delete_title', { name })}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        {t('project.delete_text', {
          count: project.environments.length,
          names: project.environments.join(', '),
        })}
      </p>
    </TypeNameModal>
  );
}

export function DeleteEnvironment({
  environment,
  onClose,
}: {
  environment: Environment;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const { name, project, namespace } = environment;
  const remove = useMutation({
    mutationFn: () =>
      client.DELETE('/api/v1/projects/{project}/environments/{environment}', {
        params: { path: { project, environment: name } },
      }),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('project.environment_deleted', { name }));
      onClose();
    },
  });
  return (
    <TypeNameModal
      name={name}
      title={t('project.delete_environment_title', { name })}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>{t('project.delete_environment_text', { namespace })}</p>
    </TypeNameModal>
  );
}
