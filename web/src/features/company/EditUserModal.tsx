import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { User } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';

type Values = Pick<User, 'display_name' | 'email'>;

export function EditUserModal({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const save = useMutation({
    mutationFn: (body: Values) =>
      send(client.PATCH('/api/v1/users/{user}', { params: { path: { user: user.name } }, body })),
    onSuccess: ({ name }) => {
      void queries.invalidateQueries();
      void message.success(t('company.user_changed', { name }));
      onClose();
    },
  });
  return (
    <Modal
      open
      title={t('company.edit_title', { name: user.name })}
      okText={t('action.save')}
      cancelText={t('action.cancel')}
      confirmLoading={save.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{ display_name: user.display_name, email: user.email }}
        onFinish={save.mutate}
      >
        <Form.Item name="display_name" label={t('project.display_name')}>
          <Input autoComplete="off" maxLength={200} />
        </Form.Item>
        <Form.Item name="email" label={t('company.email')}>
          <Input autoComplete="off" type="email" maxLength={200} />
        </Form.Item>
      </Form>
      {save.error && <ErrorPanel inline error={save.error} />}
    </Modal>
  );
}
