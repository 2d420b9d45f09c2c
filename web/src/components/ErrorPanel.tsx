import { Button, Typography } from 'antd';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/error';
import { StateIcon } from './StateIcon';
import styles from './Panel.module.css';

interface Props {
  error: unknown;
  onRetry?: () => void;
  /** Beside what is still shown, instead of in its place. */
  inline?: boolean;
}

/** A refusal: what it was, its code, the request to look for in the logs, and another try. */
export function ErrorPanel({ error, onRetry, inline = false }: Props) {
  const { t, i18n } = useTranslation();
  const { code, message, requestId, status } = asApiError(error);
  const key = `error.code.${code}`;
  const known = i18n.exists(key);
  const title = known
    ? t(key as 'error.code.network')
    : t(status >= 500 ? 'error.title_server' : 'error.title_refused');
  return (
    <div className={inline ? styles.inline : styles.panel} role="alert" data-tone="failed">
      <StateIcon tone="failed" size={inline ? 14 : 22} />
      <div className={styles.body}>
        <h2 className={styles.title}>{title}</h2>
        {code !== 'network' && message && <p className={styles.text}>{message}</p>}
        <p className={styles.meta}>
          <span>
            {t('error.code_label')} <code>{code}</code>
          </span>
          {requestId && (
            <span>
              {t('error.request_label')}{' '}
              <Typography.Text code copyable={{ text: requestId }}>
                {requestId}
              </Typography.Text>
            </span>
          )}
        </p>
      </div>
      {onRetry && (
        <Button size={inline ? 'small' : 'middle'} onClick={onRetry}>
          {t('action.retry')}
        </Button>
      )}
    </div>
  );
}
