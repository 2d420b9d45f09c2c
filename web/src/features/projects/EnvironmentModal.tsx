import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, AutoComplete, Form, InputNumber, Modal, Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, ifMatch, send } from '@/api/client';
import type { Environment, FailbackMode, FailbackPolicy, Failover } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { ClusterPicker } from '@/components/Pickers';
import { isDnsLabel } from '@/features/services/form/rules';

interface Values {
  name: string;
  clusters: string[];
  failover: Failover;
  /** A number is null while its field is empty. */
  failback: { mode: FailbackMode; after_minutes: number | null; percent: number | null };
}

interface Props {
  project: string;
  environment?: Environment;
  onClose: () => void;
}

const USUAL = ['dev', 'test', 'staging', 'production'];

/** What an environment has until it is told otherwise, as the server has it. */
const FAILBACK: FailbackPolicy = { mode: 'confirm', after_minutes: 30, percent: 25 };

/** The policy, with the usual number where a field that doesn't matter was left empty. */
function policy({ mode, after_minutes, percent }: Values['failback']): FailbackPolicy {
  return {
    mode,
    after_minutes: after_minutes ?? FAILBACK.after_minutes,
    percent: percent ?? FAILBACK.percent,
  };
}

/** Creates an environment, or changes the clusters that it spans and what happens when one is lost and returns. */
export function EnvironmentModal({ project, environment, onClose }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const name = Form.useWatch('name', form) as string | undefined;
  const mode = Form.useWatch(['failback', 'mode'], form) as FailbackMode | undefined;
  const required = [{ required: true, message: t('form.required') }];
  const save = useMutation({
    mutationFn: (values: Values) =>
      send(
        environment
          ? client.PATCH('/api/v1/projects/{project}/environments/{environment}', {
              params: {
                path: { project, environment: environment.name },
                header: ifMatch(environment.version),
              },
              body: {
                clusters: values.clusters,
                failover: values.failover,
                failback: policy(values.failback),
              },
            })
          : client.POST('/api/v1/projects/{project}/environments', {
              params: { path: { project } },
              body: {
                name: values.name.trim(),
                clusters: values.clusters,
                failover: values.failover,
                failback: policy(values.failback),
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
          failback: environment?.failback ?? FAILBACK,
        }}
        onFinish={save.mutate}
      >
        <Form.Item
          name="name"
          label={t('word.name')}
          extra={name ? t('project.namespace_hint', { namespace: `${project}-${name}` }) : undefined}
          rules={[
            ...required,
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
        <Form.Item
          name={['failback', 'mode']}
          label={t('project.failback')}
          extra={t('project.failback_hint')}
        >
          <Radio.Group
            options={(['never', 'confirm', 'automatic'] as const).map((value) => ({
              value,
              label: t(`project.failback_${value}`),
            }))}
          />
        </Form.Item>
        <Form.Item
          name={['failback', 'after_minutes']}
          label={t('project.failback_after')}
          hidden={mode !== 'automatic'}
          rules={mode === 'automatic' ? required : []}
        >
          <InputNumber min={0} max={10_080} precision={0} />
        </Form.Item>
        <Form.Item
          name={['failback', 'percent']}
          label={t('failback.percent')}
          hidden={mode === 'never'}
          rules={mode === 'never' ? [] : required}
        >
          <InputNumber min={1} max={100} precision={0} suffix="%" />
        </Form.Item>
      </Form>
      {save.error && <ErrorPanel inline error={save.error} />}
    </Modal>
  );
}
