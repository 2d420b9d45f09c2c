import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { EmptyPanel } from '@/components/EmptyPanel';

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <EmptyPanel
      whole
      title={t('not_found.title')}
      text={t('not_found.text')}
      action={<Link to="/">{t('not_found.home')}</Link>}
    />
  );
}
