import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, AutoComplete, Form, Modal, Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, ifMatch, send } from '@/api/client';
import type { Environment, Failover } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { ClusterPicker } from '@/components/Pickers';
import { isDnsLabel } from '@/features/services/form/rules';

interface Values {
  name: string;
  clusters: string[];
  failover: Failover;
}

interface Props {
  project: string;
  environment?: Environment;
  onClose: () => void;
}

const USUAL = ['dev', 'test', 'staging', 'production'];

/** Creates an environment, or changes the clusters that it spans and what happens when one is lost. */
export function EnvironmentModal({ project, environment, onClose }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const name = Form.useWatch('name', form) as string | undefined;
  const save = useMutation({
    mutationFn: (values: Values) =>
      send(
        environment
          ? client.PATCH('/api/v1/projects/{project}/environments/{environment}', {
              params: {
                path: { project, environment: environment.name },
                header: ifMatch(environment.version),
              },
              body: { clusters: values.clusters, failover: values.failover },
            })
          : client.POST('/api/v1/projects/{project}/environments', {
              params: { path: { project } },
              body: {
                name: values.name.trim(),
                clusters: values.clusters,
                failover: values.failover,
              },
            }),
      ),
    onSuccess: (saved) => {
      void queries.invalidateQueries();
      void message.success(t('project.environment_saved', { name: saved.name }));
      onClose();
    },
  });
  return (
    <Modal
      open
      title={
        environment
          ? t('project.edit_environment', { name: environment.name })
          : t('project.create_environment')
      }
      okText={t(environment ? 'action.save' : 'project.create_environment')}
      cancelText={t('action.cancel')}
      confirmLoading={save.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{
          name: environment?.name ?? '',
          clusters: environment?.clusters ?? [],
          failover: environment?.failover ?? 'confirm',
        }}
        onFinish={save.mutate}
      >
        <Form.Item
          name="name"
          label={t('word.name')}
          extra={name ? t('project.namespace_hint', { namespace: `${project}-${name}` }) : undefined}
          rules={[
            { required: true, message: t('form.required') },
            {
              validator: (_, value: string) =>
                !value || isDnsLabel(value, 20)
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('form.dns_label', { most: 20 }))),
            },
          ]}
        >
          <AutoComplete disabled={Boolean(environment)} options={USUAL.map((value) => ({ value }))} />
        </Form.Item>
        <Form.Item name="clusters" label={t('menu.clusters')} extra={t('project.clusters_hint')}>
          <ClusterPicker<string[]> mode="multiple" placeholder={t('project.every_cluster')} />
        </Form.Item>
        <Form.Item name="failover" label={t('project.failover')} extra={t('project.failover_hint')}>
          <Radio.Group
            options={(['confirm', 'automatic'] as const).map((value) => ({
              value,
              label: t(`project.failover_${value}`),
            }))}
          />
        </Form.Item>
      </Form>
      {save.error && <ErrorPanel inline error={save.error} />}
    </Modal>
  );
}
