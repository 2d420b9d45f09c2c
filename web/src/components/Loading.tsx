import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import styles from './Loading.module.css';

/** The shape of a page before its chunk is there. */
export function PageLoading() {
  return (
    <div className={styles.page} aria-busy="true">
      <Skeleton active title={{ width: 220 }} paragraph={{ rows: 8, width: '100%' }} />
    </div>
  );
}

/** Rows to come. */
export function RowsLoading({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className={styles.rows} aria-busy="true" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} className={styles.row} style={{ width: `${96 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}
