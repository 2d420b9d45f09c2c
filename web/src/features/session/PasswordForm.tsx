import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { useSession } from './session';

interface Values {
  current: string;
  password: string;
  again: string;
}

const SHORTEST = 10;

/** Changes one's own password; other sessions end with the old one. */
export function PasswordForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const { user } = useSession();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: ({ current, password }: Values) =>
      client.POST('/api/v1/users/{user}/password', {
        params: { path: { user: user.name } },
        body: { current_password: current, password },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries();
      onDone();
    },
  });
  const needed = { required: true, message: t('form.required') };
  return (
    <Form<Values> layout="vertical" requiredMark={false} onFinish={change.mutate}>
      <input type="text" autoComplete="username" value={user.name} readOnly hidden />
      <Form.Item name="current" label={t('password.current')} rules={[needed]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('password.new')}
        extra={t('password.hint', { least: SHORTEST })}
        rules={[needed, { min: SHORTEST, message: t('password.hint', { least: SHORTEST }) }]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t('password.again')}
        dependencies={['password']}
        rules={[
          needed,
          ({ getFieldValue }) => ({
            validator: (_, value: string) =>
              !value || value === getFieldValue('password')
                ? Promise.resolve()
                : Promise.reject(new Error(t('password.differs'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      {change.error && (
        <Form.Item>
          <ErrorPanel inline error={change.error} />
        </Form.Item>
      )}
      <Button type="primary" htmlType="submit" loading={change.isPending}>
        {t('password.change')}
      </Button>
    </Form>
  );
}
