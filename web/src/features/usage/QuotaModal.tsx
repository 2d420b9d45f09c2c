import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Form, InputNumber, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, ifMatch, send } from '@/api/client';
import type { Project } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import styles from './usage.module.css';

const GIB = 2 ** 30;

interface Values {
  cpu: number | null;
  memory: number | null;
  pods: number | null;
  gpus: number | null;
  storage: number | null;
}

const times = (value: number | null | undefined, factor: number): number | null =>
  value === null || value === undefined ? null : Math.round(value * factor);
const parts = (value: number | null | undefined, factor: number): number | null =>
  value === null || value === undefined ? null : value / factor;

/** Sets what a project's services may ask for together. */
export function QuotaModal({ project, onClose }: { project: Project; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const { quota } = project;
  const save = useMutation({
    mutationFn: ({ cpu, memory, pods, gpus, storage }: Values) =>
      send(
        client.PUT('/api/v1/projects/{project}/quota', {
          params: { path: { project: project.name }, header: ifMatch(project.version) },
          body: {
            cpu_millicores: times(cpu, 1_000),
            memory_bytes: times(memory, GIB),
            pods: times(pods, 1),
            gpus: times(gpus, 1),
            storage_bytes: times(storage, GIB),
          },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('quota.saved', { name: project.name }));
      onClose();
    },
  });
  const field = (name: keyof Values, step: number, precision: number) => (
    <Form.Item name={name} label={t(`quota.field_${name}`)}>
      <InputNumber
        min={0}
        max={1_000_000}
        step={step}
        precision={precision}
        placeholder={t('quota.no_limit')}
      />
    </Form.Item>
  );
  return (
    <Modal
      open
      title={t('quota.edit_title', { name: project.name })}
      okText={t('action.save')}
      cancelText={t('action.cancel')}
      confirmLoading={save.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <p className="muted">{t('quota.edit_hint')}</p>
      <Form<Values>
        form={form}
        className={styles.form}
        layout="vertical"
        initialValues={{
          cpu: parts(quota.cpu_millicores, 1_000),
          memory: parts(quota.memory_bytes, GIB),
          pods: quota.pods ?? null,
          gpus: quota.gpus ?? null,
          storage: parts(quota.storage_bytes, GIB),
        }}
        onFinish={save.mutate}
      >
        {field('cpu', 1, 3)}
        {field('memory', 1, 3)}
        {field('pods', 1, 0)}
        {field('gpus', 1, 0)}
        {field('storage', 1, 3)}
      </Form>
      {save.error && <ErrorPanel inline error={save.error} />}
    </Modal>
  );
}
