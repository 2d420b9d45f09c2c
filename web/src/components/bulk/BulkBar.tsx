import { CloseOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import styles from './bulk.module.css';

interface Props {
  count: number;
  /** Chosen, and not among the rows that are shown. */
  elsewhere: number;
  children: React.ReactNode;
  onClear: () => void;
}

/** What can be done with the rows that are chosen; stays in sight while one scrolls. */
export function BulkBar({ count, elsewhere, children, onClear }: Props) {
  const { t } = useTranslation();
  if (count === 0) return null;
  return (
    <div className={styles.bar} role="toolbar" aria-label={t('bulk.actions')}>
      <strong className="number">{t('bulk.chosen', { count })}</strong>
      {elsewhere > 0 && <span className="muted">{t('bulk.elsewhere', { count: elsewhere })}</span>}
      <span className={styles.space} />
      {children}
      <Button
        type="text"
        icon={<CloseOutlined aria-hidden />}
        aria-label={t('bulk.choose_none')}
        onClick={onClear}
      />
    </div>
  );
}
