import { ReloadOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Checkbox, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, send } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { randomPassword } from './password';
import { SecretOnce } from './SecretOnce';
import styles from './company.module.css';

interface Values {
  name: string;
  display_name: string;
  email: string;
  must_change_password: boolean;
}

/** Makes a user with a password that is made up here and shown until the dialog closes. */
export function CreateUserModal({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const [password, setPassword] = useState(randomPassword);
  const create = useMutation({
    mutationFn: ({ name, ...values }: Values) =>
      send(client.POST('/api/v1/users', { body: { name: name.trim(), password, ...values } })),
    onSuccess: () => void queries.invalidateQueries(),
  });
  const made = create.data;
  return (
    <Modal
      open
      title={made ? t('company.user_created', { name: made.name }) : t('company.create_user')}
      mask={{ closable: !made }}
      onCancel={onClose}
      footer={
        made ? (
          <Button
            type="primary"
            onClick={() => {
              onClose();
              void navigate(`/company/users/${made.name}`);
            }}
          >
            {t('company.give_roles_now')}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={create.isPending} onClick={() => form.submit()}>
              {t('company.create_user')}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <div className={styles.stack}>
          <p>{t('company.password_once')}</p>
          <SecretOnce secret={password} label={t('session.password')} testId="new-password" />
        </div>
      ) : (
        <Form<Values>
          form={form}
          layout="vertical"
          requiredMark="optional"
          initialValues={{ name: '', display_name: '', email: '', must_change_password: true }}
          onFinish={create.mutate}
        >
          <Form.Item
            name="name"
            label={t('session.username')}
            extra={t('company.name_hint')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <Input autoComplete="off" autoCapitalize="none" spellCheck={false} maxLength={64} />
          </Form.Item>
          <Form.Item name="display_name" label={t('project.display_name')}>
            <Input autoComplete="off" maxLength={200} />
          </Form.Item>
          <Form.Item name="email" label={t('company.email')}>
            <Input autoComplete="off" type="email" maxLength={200} />
          </Form.Item>
          <Form.Item label={t('session.password')} htmlFor="generated-password">
            <div className={styles.secret}>
              <code id="generated-password">{password}</code>
              <Button
                type="text"
                size="small"
                icon={<ReloadOutlined aria-hidden />}
                aria-label={t('company.another_password')}
                onClick={() => setPassword(randomPassword())}
              />
            </div>
          </Form.Item>
          <Form.Item name="must_change_password" valuePropName="checked">
            <Checkbox>{t('company.must_change_hint')}</Checkbox>
          </Form.Item>
          {create.error && <ErrorPanel inline error={create.error} />}
        </Form>
      )}
    </Modal>
  );
}
