import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useSearchParams } from 'react-router';
import { client, send } from '@/api/client';
import { PageHeader } from '@/components/PageHeader';
import { servicePath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { valuesToNewService } from './form/convert';
import { ServiceForm } from './form/ServiceForm';
import { defaultValues, type ServiceValues } from './form/values';
import styles from './form/form.module.css';

export function Page() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [search] = useSearchParams();
  const [form] = Form.useForm<ServiceValues>();
  const initial = useMemo(
    () => ({
      ...defaultValues(),
      project: search.get('project') ?? '',
      environment: search.get('environment') ?? '',
    }),
    [search],
  );
  const project = Form.useWatch('project', form) as string | undefined;
  const environment = Form.useWatch('environment', form) as string | undefined;

  const create = useMutation({
    mutationFn: (values: ServiceValues) =>
      send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services', {
          params: { path: { project: values.project, environment: values.environment } },
          body: valuesToNewService(values),
        }),
      ),
    onSuccess: ({ service }) => {
      void queries.invalidateQueries();
      void message.success(t('service.created', { name: service.name }));
      void navigate(servicePath({ ...service, service: service.name }));
    },
  });

  return (
    <>
      <PageHeader
        title={t('service.create')}
        trail={[{ to: '/services', label: t('menu.services') }]}
        subtitle={t('service.create_text')}
      />
      <ServiceForm form={form} initial={initial} creating error={create.error} onSubmit={create.mutate}>
        <span className={styles.footSpace} />
        <Button onClick={() => void navigate(-1)}>{t('action.cancel')}</Button>
        <PermitButton
          permission="service:write"
          scope={project && environment ? { project, environment } : 'anywhere'}
          type="primary"
          htmlType="submit"
          loading={create.isPending}
        >
          {t('service.create')}
        </PermitButton>
      </ServiceForm>
    </>
  );
}
