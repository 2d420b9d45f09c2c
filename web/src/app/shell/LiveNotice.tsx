import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { useLive } from '@/api/LiveProvider';
import { StateIcon } from '@/components/StateIcon';
import { shortDuration } from '@/components/time';
import { useNow } from '@/components/useNow';
import styles from './LiveNotice.module.css';

const PATIENCE_MS = 4_000;

/** Says that the page is not live any more, once that has lasted. */
export function LiveNotice() {
  const { t } = useTranslation();
  const live = useLive();
  const now = useNow();
  if (live.kind !== 'down' || now - live.since < PATIENCE_MS) return <span role="status" />;
  return (
    <Tooltip title={t('live.explanation')}>
      <span className={styles.notice} role="status">
        <StateIcon tone="degraded" />
        {t('live.down', { age: shortDuration(now - live.since) })}
      </span>
    </Tooltip>
  );
}
