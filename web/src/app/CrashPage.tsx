import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useRouteError } from 'react-router';
import { ApiError } from '@/api/error';
import { ErrorPanel } from '@/components/ErrorPanel';

/** A page that broke: the rest of the portal goes on. */
export function CrashPage() {
  const { t } = useTranslation();
  const thrown = useRouteError();
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // A fault of this page's own, or a part of it that could not be loaded; never a refusal of the API.
  const error = thrown instanceof ApiError ? thrown : new ApiError(0, 'page_error', message);
  return (
    <div style={{ padding: 24, display: 'grid', gap: 12, justifyItems: 'start' }}>
      <h1 style={{ fontSize: 20, fontWeight: 640 }}>{t('error.crash')}</h1>
      <ErrorPanel error={error} />
      <Button onClick={() => window.location.reload()}>{t('action.reload')}</Button>
    </div>
  );
}
