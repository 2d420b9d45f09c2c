import { CheckOutlined, MinusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { PageHeader } from '@/components/PageHeader';
import { CompanyTabs } from './CompanyTabs';
import styles from './company.module.css';

/** What each role may do, as the server has it. */
export function Page() {
  const { t, i18n } = useTranslation();
  const roles = useQuery(read('/api/v1/roles'));
  const items = roles.data?.items ?? [];
  const permissions = items[0]?.permissions ?? [];
  const word = (permission: string): string => {
    const key = `company.permission.${permission.replace(':', '_')}`;
    return i18n.exists(key) ? t(key as 'company.permission.user_write') : permission;
  };
  return (
    <>
      <PageHeader title={t('company.roles')} subtitle={t('company.roles_text')} />
      <CompanyTabs active="roles" />
      {roles.error && <ErrorPanel error={roles.error} onRetry={() => void roles.refetch()} />}
      {roles.isLoading && <RowsLoading />}
      {roles.data && (
        <div
          className={styles.frame}
          role="region"
          aria-label={t('company.roles')}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
          tabIndex={0}
        >
          <table className={styles.matrix}>
            <thead>
              <tr>
                <th scope="col">{t('company.may')}</th>
                {items.map(({ role }) => (
                  <th key={role} scope="col">
                    {t(`role.${role}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{t('company.place')}</th>
                {items.map(({ role, within_project }) => (
                  <td key={role} className="muted">
                    {t(within_project ? 'company.any_place' : 'company.everywhere')}
                  </td>
                ))}
              </tr>
              {permissions.map((permission) => (
                <tr key={permission}>
                  <th scope="row">
                    {word(permission)} <span className="faint mono">{permission}</span>
                  </th>
                  {items.map(({ role, permissions: held }) => (
                    <td key={role}>
                      {held.includes(permission) ? (
                        <CheckOutlined className={styles.held} aria-label={t('word.yes')} />
                      ) : (
                        <MinusOutlined className="faint" aria-label={t('word.no')} />
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
