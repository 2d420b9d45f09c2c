import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, useSearchParams } from 'react-router';
import { client, send } from '@/api/client';
import { LanguageSwitch } from '@/app/shell/LanguageSwitch';
import { Brand } from '@/app/shell/Brand';
import { ErrorPanel } from '@/components/ErrorPanel';
import { nextPage } from './nextPage';
import { rememberSession, sessionQuery, useSessionQuery } from './session';
import styles from './SignInPage.module.css';

interface Values {
  username: string;
  password: string;
}

export function Page() {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const queries = useQueryClient();
  const { data: session } = useSessionQuery();

  const signIn = useMutation({
    mutationFn: (body: Values) => send(client.POST('/api/v1/session', { body })),
    onSuccess: (fresh) => {
      rememberSession(fresh);
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
      queries.setQueryData(sessionQuery.queryKey, fresh);
    },
  });

  useEffect(() => {
    document.title = `${t('session.sign_in')} · Longshore`;
  }, [t]);

  if (session) return <Navigate to={nextPage(search.get('next'))} replace />;
  return (
    <div className={styles.page}>
      <main className={styles.card}>
        <Brand large />
        <h1 className={styles.title}>{t('session.sign_in_title')}</h1>
        <p className={styles.text}>{t('session.sign_in_text')}</p>
        <Form<Values>
          layout="vertical"
          requiredMark={false}
          onFinish={signIn.mutate}
          disabled={signIn.isPending}
        >
          <Form.Item
            name="username"
            label={t('session.username')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <Input autoComplete="username" autoCapitalize="none" spellCheck={false} size="large" />
          </Form.Item>
          <Form.Item
            name="password"
            label={t('session.password')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <Input.Password autoComplete="current-password" size="large" />
          </Form.Item>
          {signIn.error && (
            <div className={styles.error}>
              <ErrorPanel inline error={signIn.error} />
            </div>
          )}
          <Button type="primary" htmlType="submit" size="large" block loading={signIn.isPending}>
            {t('session.sign_in')}
          </Button>
        </Form>
        <footer className={styles.foot}>
          <LanguageSwitch />
        </footer>
      </main>
    </div>
  );
}
