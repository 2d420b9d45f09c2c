import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import type { Service } from '@/api/types';
import { Age } from '@/components/Age';
import { servicePath } from '@/components/paths';
import { shortDuration } from '@/components/time';
import { useOperationTitle } from '@/components/useOperationTitle';
import { isPermitted } from '@/features/session/roles';
import { useSession } from '@/features/session/session';
import { pathOf } from '@/features/services/actions/useServiceMutation';
import { lastBefore } from './lastBefore';
import styles from './overview.module.css';

/** How many of the newest are searched; whoever does more than this before noticing finds the rest on its page. */
const SEARCHED = 20;

/** Since when something is wrong, and what was done to it just before. */
export function SinceAndBefore({ service }: { service: Service }) {
  const { t } = useTranslation();
  const title = useOperationTitle();
  const { grants } = useSession();
  const { project, environment, name, status } = service;
  const operations = useQuery({
    ...read('/api/v1/operations', {
      params: { query: { project, environment, service: name, limit: SEARCHED } },
    }),
    enabled: isPermitted(grants, 'operation:read', { project, environment }),
    // What was before stays as it was; a new state makes another question of it.
    refetchInterval: false,
  });
  const before = operations.data && lastBefore(operations.data.items, status.since);
  const between = before ? Date.parse(status.since) - Date.parse(before.created_at) : 0;
  return (
    <div className={styles.story}>
      <Age at={status.since} />
      {before && (
        <div className="muted">
          {between < 1_000 ? t('overview.before_now') : t('overview.before', { age: shortDuration(between) })}{' '}
          <Link to={servicePath(pathOf(service), 'operations')}>{title(before)}</Link>{' '}
          {t('overview.before_by', { name: before.requested_by })}
        </div>
      )}
      {operations.data && !before && <div className="muted">{t('overview.before_none')}</div>}
      {operations.error && <div className="muted">{t('overview.before_unknown')}</div>}
    </div>
  );
}
