import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Form, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, read, send } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { GrantFields, type GrantValues } from './GrantFields';
import { grantOf, isWithinProject, ROLES } from './scope';

interface Values extends GrantValues {
  user: string;
}

/** Gives somebody a role: a given user, or one to choose; in a given project, or anywhere. */
export function GiveRoleModal(props: { user?: string; project?: string; onClose: () => void }) {
  const { user, project, onClose } = props;
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const [typed, setTyped] = useState('');
  const users = useQuery({
    ...read('/api/v1/users', { params: { query: { q: typed, limit: 20, disabled: false } } }),
    enabled: user === undefined,
    placeholderData: keepPreviousData,
  });
  const give = useMutation({
    mutationFn: (values: Values) =>
      send(
        client.POST('/api/v1/bindings', {
          body: {
            user: user ?? values.user,
            grant: grantOf(values.role, project ?? values.project, values.environment),
          },
        }),
      ),
    onSuccess: (binding) => {
      void queries.invalidateQueries();
      void message.success(t('company.given', { user: binding.user, role: t(`role.${binding.grant.role}`) }));
      onClose();
    },
  });
  return (
    <Modal
      open
      title={user ? t('company.give_to', { user }) : t('company.give')}
      okText={t('company.give')}
      cancelText={t('action.cancel')}
      confirmLoading={give.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{ role: 'viewer' }}
        onFinish={give.mutate}
      >
        {user === undefined && (
          <Form.Item
            name="user"
            label={t('company.user')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <Select
              showSearch={{ filterOption: false, onSearch: setTyped }}
              loading={users.isFetching}
              options={(users.data?.items ?? []).map(({ name, display_name }) => ({
                value: name,
                label: display_name && display_name !== name ? `${name} · ${display_name}` : name,
              }))}
            />
          </Form.Item>
        )}
        <GrantFields project={project} roles={project ? ROLES.filter(isWithinProject) : ROLES} />
      </Form>
      {give.error && <ErrorPanel inline error={give.error} />}
    </Modal>
  );
}
