import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Checkbox, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { randomPassword } from './password';
import { SecretOnce } from './SecretOnce';
import styles from './company.module.css';

/** Gives somebody a new password, shown this once. */
export function ResetPasswordModal({ user, onClose }: { user: string; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [password] = useState(randomPassword);
  const [mustChange, setMustChange] = useState(true);
  const reset = useMutation({
    mutationFn: () =>
      client.POST('/api/v1/users/{user}/password', {
        params: { path: { user } },
        body: { password, must_change_password: mustChange },
      }),
    onSuccess: () => void queries.invalidateQueries(),
  });
  return (
    <Modal
      open
      title={t('company.reset_title', { user })}
      mask={{ closable: !reset.isSuccess }}
      onCancel={onClose}
      footer={
        reset.isSuccess ? (
          <Button type="primary" onClick={onClose}>
            {t('token.done')}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" danger loading={reset.isPending} onClick={() => reset.mutate()}>
              {t('company.reset')}
            </Button>
          </>
        )
      }
    >
      <div className={styles.stack}>
        {reset.isSuccess ? (
          <>
            <p>{t('company.password_once')}</p>
            <SecretOnce secret={password} label={t('session.password')} testId="new-password" />
          </>
        ) : (
          <>
            <p>{t('company.reset_text')}</p>
            <Checkbox checked={mustChange} onChange={({ target }) => setMustChange(target.checked)}>
              {t('company.must_change_hint')}
            </Checkbox>
          </>
        )}
        {reset.error && <ErrorPanel inline error={reset.error} />}
      </div>
    </Modal>
  );
}
