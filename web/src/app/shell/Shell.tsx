import { MenuOutlined } from '@ant-design/icons';
import { Button, Drawer } from 'antd';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Outlet, ScrollRestoration, useLocation, useNavigation } from 'react-router';
import { isPermittedSomewhere } from '@/features/session/roles';
import { useSession } from '@/features/session/session';
import { PageLoading } from '@/components/Loading';
import { SearchButton } from '../search/SearchButton';
import { Brand } from './Brand';
import { LanguageSwitch } from './LanguageSwitch';
import { LiveNotice } from './LiveNotice';
import { activeEntry, MENU } from './menu';
import { PersonMenu } from './PersonMenu';
import { RunningOperations } from './RunningOperations';
import styles from './Shell.module.css';

function Navigation({ onChoose }: { onChoose?: () => void }) {
  const { t } = useTranslation();
  const { grants } = useSession();
  const active = activeEntry(useLocation().pathname);
  return (
    <nav aria-label={t('shell.navigation')} className={styles.navigation}>
      {MENU.filter(({ permission }) => isPermittedSomewhere(grants, permission)).map(({ to, key, icon }) => (
        <Link
          key={key}
          to={to}
          className={styles.entry}
          aria-current={active === key ? 'page' : undefined}
          onClick={onChoose}
        >
          <span className={styles.icon} aria-hidden="true">
            {icon}
          </span>
          {t(`menu.${key}`)}
        </Link>
      ))}
    </nav>
  );
}

/** The frame of every page: where one can go, what is under way, who one is. */
export function Shell() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const busy = useNavigation().state !== 'idle';
  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        {t('shell.skip')}
      </a>
      <aside className={styles.rail}>
        <Link to="/" className={styles.home} aria-label="Longshore">
          <Brand />
        </Link>
        <Navigation />
      </aside>
      <div className={styles.main}>
        <div className={styles.top} role="banner">
          <Button
            type="text"
            className={styles.burger}
            icon={<MenuOutlined aria-hidden />}
            aria-label={t('shell.menu')}
            onClick={() => setOpen(true)}
          />
          <LiveNotice />
          <span className={styles.space} />
          <SearchButton />
          <RunningOperations />
          <LanguageSwitch />
          <PersonMenu />
        </div>
        <div className={styles.progress} data-busy={busy} aria-hidden="true" />
        <main id="content" className={styles.content} tabIndex={-1}>
          <Suspense fallback={<PageLoading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Drawer
        open={open}
        onClose={() => setOpen(false)}
        placement="left"
        size={260}
        title={<Brand />}
        classNames={{ section: styles.drawer }}
      >
        <Navigation onChoose={() => setOpen(false)} />
      </Drawer>
      <ScrollRestoration />
    </div>
  );
}
