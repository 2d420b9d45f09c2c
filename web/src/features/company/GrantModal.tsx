import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Form, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Binding } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { GrantFields, type GrantValues } from './GrantFields';
import { isWithinProject, ROLES } from './scope';

export interface GrantedValues extends GrantValues {
  user: string;
}

interface Props {
  title: string;
  /** Where the role holds; anywhere when absent. */
  project?: string;
  /** The environments that can be chosen; undefined for all, and the project as a whole. */
  within?: string[];
  /** A field to choose the user with, where none is given. */
  people?: React.ReactNode;
  give: (values: GrantedValues) => Promise<Binding>;
  onClose: () => void;
}

/** Asks who gets which role where, and gives it. */
export function GrantModal({ title, project, within, people, give: giveTo, onClose }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<GrantedValues>();
  const give = useMutation({
    mutationFn: giveTo,
    onSuccess: ({ user, grant }) => {
      void queries.invalidateQueries();
      void message.success(t('company.given', { user, role: t(`role.${grant.role}`) }));
      onClose();
    },
  });
  return (
    <Modal
      open
      title={title}
      okText={t('company.give')}
      cancelText={t('action.cancel')}
      confirmLoading={give.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<GrantedValues>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{ role: 'viewer' }}
        onFinish={give.mutate}
      >
        {people && (
          <Form.Item
            name="user"
            label={t('company.user')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            {people}
          </Form.Item>
        )}
        <GrantFields
          project={project}
          within={within}
          roles={project ? ROLES.filter(isWithinProject) : ROLES}
        />
      </Form>
      {give.error && <ErrorPanel inline error={give.error} />}
    </Modal>
  );
}
