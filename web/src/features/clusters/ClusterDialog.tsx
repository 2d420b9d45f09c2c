import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, ifMatch } from '@/api/client';
import type { Cluster } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { TypeNameModal } from '@/components/TypeNameModal';
import { KubeconfigField } from './KubeconfigField';
import { LabelRows, type LabelValues, labelsFromRows } from './LabelRows';
import { TaintRows, taintsFromRows, type TaintValues } from './TaintRows';

export type ClusterDialogKind = 'cordon' | 'edit' | 'kubeconfig' | 'remove';

interface Props {
  cluster: Cluster;
  onClose: () => void;
}

export function ClusterDialog({ kind, ...props }: Props & { kind: ClusterDialogKind }) {
  switch (kind) {
    case 'cordon':
      return <CordonDialog {...props} />;
    case 'edit':
      return <EditDialog {...props} />;
    case 'kubeconfig':
      return <KubeconfigDialog {...props} />;
    case 'remove':
      return <RemoveDialog {...props} />;
  }
}

function useClusterChange<V>(change: (values: V) => Promise<unknown>, done: string, onDone: () => void) {
  const queries = useQueryClient();
  const { message } = App.useApp();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      onDone();
      void message.success(done);
      void queries.invalidateQueries();
    },
  });
}

function target({ name, version }: Cluster) {
  return { params: { path: { cluster: name }, header: ifMatch(version) } };
}

function CordonDialog({ cluster, onClose }: Props) {
  const { t } = useTranslation();
  const { name, cordoned } = cluster;
  const change = useClusterChange(
    () => client.PATCH('/api/v1/clusters/{cluster}', { ...target(cluster), body: { cordoned: !cordoned } }),
    t(cordoned ? 'cluster.uncordoned' : 'cluster.cordon_done', { name }),
    onClose,
  );
  return (
    <Modal
      open
      title={t(cordoned ? 'cluster.uncordon_title' : 'cluster.cordon_title', { name })}
      okText={t(cordoned ? 'cluster.uncordon' : 'cluster.cordon')}
      cancelText={t('action.cancel')}
      confirmLoading={change.isPending}
      onOk={() => change.mutate(undefined)}
      onCancel={onClose}
    >
      <p>
        {t(cordoned ? 'cluster.uncordon_text' : 'cluster.cordon_text', { count: cluster.assigned_replicas })}
      </p>
      {change.error && <ErrorPanel inline error={change.error} />}
    </Modal>
  );
}

interface EditValues {
  region: string;
  zone: string;
  prometheus_url: string;
  labels: LabelValues[];
  taints: TaintValues[];
}

function EditDialog({ cluster, onClose }: Props) {
  const { t } = useTranslation();
  const [form] = Form.useForm<EditValues>();
  const change = useClusterChange(
    ({ labels, taints, prometheus_url, ...values }: EditValues) =>
      client.PATCH('/api/v1/clusters/{cluster}', {
        ...target(cluster),
        body: {
          ...values,
          labels: labelsFromRows(labels),
          taints: taintsFromRows(taints),
          prometheus_url: prometheus_url.trim(),
        },
      }),
    t('cluster.changed', { name: cluster.name }),
    onClose,
  );
  return (
    <Modal
      open
      title={t('cluster.edit_title', { name: cluster.name })}
      okText={t('action.save')}
      cancelText={t('action.cancel')}
      confirmLoading={change.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<EditValues>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{
          region: cluster.region,
          zone: cluster.zone,
          prometheus_url: cluster.prometheus_url ?? '',
          labels: Object.entries(cluster.labels).map(([name, value]) => ({ name, value })),
          taints: cluster.taints.map(({ key, value, effect }) => ({
            key,
            value,
            effect: effect ?? 'no_placement',
          })),
        }}
        onFinish={change.mutate}
      >
        <Form.Item
          name="region"
          label={t('cluster.region')}
          rules={[{ required: true, message: t('form.required') }]}
        >
          <Input />
        </Form.Item>
        <Form.Item name="zone" label={t('cluster.zone')}>
          <Input />
        </Form.Item>
        <Form.Item
          name="prometheus_url"
          label="Prometheus URL"
          rules={[{ type: 'url', message: t('form.url') }]}
        >
          <Input className="mono" />
        </Form.Item>
        <LabelRows />
        <TaintRows />
      </Form>
      {change.error && <ErrorPanel inline error={change.error} />}
    </Modal>
  );
}

function KubeconfigDialog({ cluster, onClose }: Props) {
  const { t } = useTranslation();
  const [form] = Form.useForm<{ kubeconfig: string }>();
  const change = useClusterChange(
    (body: { kubeconfig: string }) =>
      client.PUT('/api/v1/clusters/{cluster}/kubeconfig', {
        params: { path: { cluster: cluster.name } },
        body,
      }),
    t('cluster.kubeconfig_replaced', { name: cluster.name }),
    onClose,
  );
  return (
    <Modal
      open
      width={680}
      title={t('cluster.replace_kubeconfig_title', { name: cluster.name })}
      okText={t('cluster.replace_kubeconfig')}
      cancelText={t('action.cancel')}
      confirmLoading={change.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <p className="muted" style={{ marginBottom: 12 }}>
        {t('cluster.replace_kubeconfig_text')}
      </p>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={change.mutate}>
        <Form.Item
          name="kubeconfig"
          label="Kubeconfig"
          rules={[{ required: true, message: t('form.required') }]}
        >
          <KubeconfigField />
        </Form.Item>
      </Form>
      {change.error && <ErrorPanel inline error={change.error} />}
    </Modal>
  );
}

function RemoveDialog({ cluster, onClose }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { name } = cluster;
  const change = useClusterChange(
    () => client.DELETE('/api/v1/clusters/{cluster}', { params: { path: { cluster: name } } }),
    t('cluster.remove_started', { name }),
    () => {
      onClose();
      void navigate('/clusters');
    },
  );
  return (
    <TypeNameModal
      name={name}
      title={t('cluster.remove_title', { name })}
      okText={t('cluster.remove')}
      pending={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate(undefined)}
      onClose={onClose}
    >
      <ul>
        <li>
          {t('cluster.remove_replicas', {
            services: t('cluster.services', { count: cluster.services }),
            replicas: t('cluster.replicas', { count: cluster.assigned_replicas }),
          })}
        </li>
        <li>{t('cluster.remove_objects')}</li>
        <li>{t('cluster.remove_kubeconfig')}</li>
      </ul>
    </TypeNameModal>
  );
}
