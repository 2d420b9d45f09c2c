import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { PageHeader } from '@/components/PageHeader';
import { Section } from '@/components/Section';
import { PasswordForm } from './PasswordForm';

export function Page() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  return (
    <>
      <PageHeader title={t('password.title')} subtitle={t('password.text')} />
      <div style={{ maxWidth: 460 }}>
        <Section title={t('password.title')}>
          <PasswordForm
            onDone={() => {
              void message.success(t('password.changed'));
              void navigate('/');
            }}
          />
        </Section>
      </div>
    </>
  );
}
