import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, ifMatch, send } from '@/api/client';
import type { Project } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { projectPath } from '@/components/paths';
import { isDnsLabel } from '@/features/services/form/rules';

interface Values {
  name: string;
  display_name: string;
  description: string;
}

/** Creates a project, or changes one's words. */
export function ProjectModal({ project, onClose }: { project?: Project; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const save = useMutation({
    mutationFn: ({ name, ...words }: Values) =>
      send(
        project
          ? client.PATCH('/api/v1/projects/{project}', {
              params: { path: { project: project.name }, header: ifMatch(project.version) },
              body: words,
            })
          : client.POST('/api/v1/projects', { body: { name: name.trim(), ...words } }),
      ),
    onSuccess: ({ name }) => {
      void queries.invalidateQueries();
      void message.success(t(project ? 'project.changed' : 'project.created', { name }));
      onClose();
      if (!project) void navigate(projectPath(name));
    },
  });
  return (
    <Modal
      open
      title={project ? t('project.edit_title', { name: project.name }) : t('project.create')}
      okText={t(project ? 'action.save' : 'project.create')}
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
          name: project?.name ?? '',
          display_name: project?.display_name ?? '',
          description: project?.description ?? '',
        }}
        onFinish={save.mutate}
      >
        <Form.Item
          name="name"
          label={t('word.name')}
          extra={project ? undefined : t('project.name_hint')}
          rules={[
            { required: true, message: t('form.required') },
            {
              validator: (_, value: string) =>
                !value || isDnsLabel(value, 40)
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('form.dns_label', { most: 40 }))),
            },
          ]}
        >
          <Input disabled={Boolean(project)} autoComplete="off" spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item name="display_name" label={t('project.display_name')}>
          <Input autoComplete="off" maxLength={100} />
        </Form.Item>
        <Form.Item name="description" label={t('word.description')}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1_000} />
        </Form.Item>
      </Form>
      {save.error && <ErrorPanel inline error={save.error} />}
    </Modal>
  );
}
