import { Button } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Brand } from '@/app/shell/Brand';
import { LanguageSwitch } from '@/app/shell/LanguageSwitch';
import { PasswordForm } from './PasswordForm';
import { useSignOut } from './leaving';
import styles from './SignInPage.module.css';

/** All that there is for who has to change the password first. */
export function MustChangePassword() {
  const { t } = useTranslation();
  const signOut = useSignOut();
  useEffect(() => {
    document.title = `${t('password.title')} · Longshore`;
  }, [t]);
  return (
    <div className={styles.page}>
      <main className={styles.card}>
        <Brand large />
        <h1 className={styles.title}>{t('password.title')}</h1>
        <p className={styles.text}>{t('password.must')}</p>
        <PasswordForm onDone={() => undefined} />
        <footer className={styles.foot}>
          <LanguageSwitch />
          <Button type="link" onClick={signOut}>
            {t('session.sign_out')}
          </Button>
        </footer>
      </main>
    </div>
  );
}
