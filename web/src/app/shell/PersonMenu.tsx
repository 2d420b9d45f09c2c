import { DownOutlined } from '@ant-design/icons';
import { Button, Dropdown } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useSession } from '@/features/session/session';
import { useSignOut } from '@/features/session/leaving';
import { THEMES, useTheme } from '../theme/ThemeProvider';
import styles from './PersonMenu.module.css';

export function PersonMenu() {
  const { t } = useTranslation();
  const { user, grants } = useSession();
  const theme = useTheme();
  const navigate = useNavigate();
  const signOut = useSignOut();
  const name = user.display_name || user.name;
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectedKeys: [theme.choice],
        items: [
          {
            key: 'who',
            disabled: true,
            label: (
              <span className={styles.who}>
                <strong>{name}</strong>
                <span>{user.name}</span>
                <span>{[...new Set(grants.map(({ role }) => t(`role.${role}`)))].join(', ')}</span>
              </span>
            ),
          },
          { type: 'divider' },
          { key: 'tokens', label: t('session.tokens'), onClick: () => void navigate('/tokens') },
          { key: 'sessions', label: t('sessions.own'), onClick: () => void navigate('/sessions') },
          { key: 'password', label: t('password.title'), onClick: () => void navigate('/password') },
          { type: 'divider' },
          {
            type: 'group',
            label: t('shell.theme'),
            children: THEMES.map((choice) => ({
              key: choice,
              label: t(`shell.theme_${choice}`),
              onClick: () => theme.choose(choice),
            })),
          },
          { type: 'divider' },
          { key: 'out', label: t('session.sign_out'), onClick: signOut },
        ],
      }}
    >
      <Button type="text" className={styles.button} aria-label={t('shell.person', { name })}>
        <span className={styles.initial} aria-hidden="true">
          {name.slice(0, 1).toUpperCase()}
        </span>
        <span className={styles.name}>{name}</span>
        <DownOutlined aria-hidden className={styles.arrow} />
      </Button>
    </Dropdown>
  );
}
