import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Assignment, Problem, Service } from '@/api/types';
import { Age } from '@/components/Age';
import { servicePath } from '@/components/paths';
import { ProblemText } from '@/components/ProblemText';
import { StateIcon } from '@/components/StateIcon';
import { pathOf } from '../actions/useServiceMutation';
import styles from './detail.module.css';

interface Props {
  service: Service;
  assignments: Assignment[] | undefined;
}

interface Found {
  cluster: string;
  problem: Problem;
}

/** What is wrong now, and what to do about it; nothing while all is well. */
export function StatusMessage({ service, assignments }: Props) {
  const { t } = useTranslation();
  const { status } = service;
  const found: Found[] = (assignments ?? []).flatMap(({ cluster, observed }) =>
    (observed && !observed.stale ? observed.problems : []).map((problem) => ({ cluster, problem })),
  );
  const drifted = (assignments ?? []).filter(({ observed }) => observed?.drift?.length);
  const calm = (status.state === 'running' || status.state === 'stopped') && found.length === 0;
  if (calm && !status.message && drifted.length === 0) return null;
  // The new revision fails, and the one before carries on.
  const oldServes =
    status.state === 'degraded' && status.ready >= status.wanted && status.updated < status.wanted;
  const told = oldServes ? status.ready : status.state === 'unknown' ? status.unknown : status.wanted;
  return (
    <section className={styles.message} data-tone={status.state} aria-label={t('service.what_is_wrong')}>
      <StateIcon tone={status.state} size={18} />
      <div className={styles.messageBody}>
        <p className={styles.messageTitle}>
          {t(oldServes ? 'service.summary_old_serves' : `service.summary_${status.state}`, {
            ...status,
            count: told,
          })}
          {status.state === 'unknown' && status.observed_at && (
            <>
              {' '}
              {t('stale.as_of')} <Age at={status.observed_at} />
            </>
          )}
        </p>
        {status.message && found.length === 0 && <p>{status.message}</p>}
        {group(found).map(({ problem, clusters }) => (
          <div key={problem.reason + problem.message} className={styles.problem}>
            <ProblemText problem={problem} where={clusters.join(', ')} />
            {problem.example_pod && (
              <p className={styles.links}>
                <Link
                  to={`${servicePath(pathOf(service), 'logs')}?cluster=${clusters[0] ?? ''}&log_pod=${problem.example_pod}`}
                >
                  {t('problem.see_logs', { pod: problem.example_pod })}
                </Link>
                <Link to={servicePath(pathOf(service), 'events')}>{t('problem.see_events')}</Link>
                <Link to={servicePath(pathOf(service), 'revisions')}>{t('problem.see_revisions')}</Link>
              </p>
            )}
          </div>
        ))}
        {drifted.map(({ cluster, observed }) => (
          <p key={cluster} className="muted">
            {t('service.drift', { cluster, objects: (observed?.drift ?? []).join(', ') })}
          </p>
        ))}
      </div>
    </section>
  );
}

/** The same problem on several clusters is one problem. */
function group(found: Found[]): { problem: Problem; clusters: string[] }[] {
  const groups = new Map<string, { problem: Problem; clusters: string[] }>();
  for (const { cluster, problem } of found) {
    const known = groups.get(problem.reason);
    if (known) {
      known.clusters.push(cluster);
      known.problem = { ...known.problem, pods: known.problem.pods + problem.pods };
    } else {
      groups.set(problem.reason, { problem, clusters: [cluster] });
    }
  }
  return [...groups.values()];
}
