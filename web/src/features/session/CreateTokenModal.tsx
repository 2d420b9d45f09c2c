import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { GrantFields, type GrantValues } from '@/features/company/GrantFields';
import { grantOf } from '@/features/company/scope';
import { SecretOnce } from '@/features/company/SecretOnce';
import styles from './token.module.css';

interface Values extends Partial<GrantValues> {
  name: string;
  days: number;
  narrowed: boolean;
}

const NEVER = 0;

/** Makes a token and shows its secret, this once. */
export function CreateTokenModal({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const narrowed = Form.useWatch('narrowed', form) as boolean | undefined;
  const create = useMutation({
    mutationFn: ({ name, days, narrowed, role, project, environment }: Values) =>
      send(
        client.POST('/api/v1/api-tokens', {
          body: {
            name: name.trim(),
            expires_in_days: days === NEVER ? null : days,
            grant: narrowed && role ? grantOf(role, project, environment) : null,
          },
        }),
      ),
    onSuccess: () => void queries.invalidateQueries(),
  });
  const secret = create.data?.secret;
  return (
    <Modal
      open
      title={t(secret ? 'token.created' : 'token.create')}
      mask={{ closable: !secret }}
      onCancel={onClose}
      footer={
        secret ? (
          <Button type="primary" onClick={onClose}>
            {t('token.done')}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={create.isPending} onClick={() => form.submit()}>
              {t('token.create')}
            </Button>
          </>
        )
      }
    >
      {secret ? (
        <div className={styles.created}>
          <p>{t('token.secret_once')}</p>
          <SecretOnce secret={secret} label={t('token.secret')} testId="token-secret" />
          <p className="muted">
            {t('token.use')} <code>Authorization: Bearer …</code>
          </p>
        </div>
      ) : (
        <Form<Values>
          form={form}
          layout="vertical"
          requiredMark="optional"
          initialValues={{ name: '', days: 90, narrowed: false, role: 'viewer' }}
          onFinish={create.mutate}
        >
          <Form.Item
            name="name"
            label={t('word.name')}
            extra={t('token.name_hint')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <Input autoComplete="off" maxLength={64} />
          </Form.Item>
          <Form.Item name="days" label={t('token.expires')} required>
            <Select
              options={[30, 90, 365, NEVER].map((days) => ({
                value: days,
                label: days === NEVER ? t('token.never') : t('token.in_days', { count: days }),
              }))}
            />
          </Form.Item>
          <Form.Item name="narrowed" label={t('token.may')} extra={t('token.may_hint')} required>
            <Select
              options={[
                { value: false, label: t('token.may_all') },
                { value: true, label: t('token.may_less') },
              ]}
            />
          </Form.Item>
          {narrowed && <GrantFields />}
          {create.error && <ErrorPanel inline error={create.error} />}
        </Form>
      )}
    </Modal>
  );
}
