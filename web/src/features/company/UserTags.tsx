import { Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';
import styles from './company.module.css';

/** What stands in somebody's way. */
export function UserTags({ user }: { user: User }) {
  const { t } = useTranslation();
  return (
    <span className={styles.tags}>
      <Tag variant="outlined">{t(user.disabled ? 'company.disabled' : 'company.enabled')}</Tag>
      {user.must_change_password && <Tag variant="outlined">{t('company.must_change')}</Tag>}
    </span>
  );
}
