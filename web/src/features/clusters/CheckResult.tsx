import { useTranslation } from 'react-i18next';
import type { ConnectionCheck } from '@/api/types';
import { StateIcon } from '@/components/StateIcon';
import styles from './clusters.module.css';

/** What a kubeconfig turned out to reach, and the rights it has and lacks. */
export function CheckResult({ check }: { check: ConnectionCheck }) {
  const { t } = useTranslation();
  const lacking = check.rights.filter(({ allowed }) => !allowed);
  return (
    <div className={styles.check} data-good={lacking.length === 0} role="status">
      <p className={styles.checkTitle}>
        <StateIcon tone={lacking.length ? 'failed' : 'running'} size={16} />
        {lacking.length ? t('cluster.check_lacking', { count: lacking.length }) : t('cluster.check_good')}
      </p>
      <dl className={styles.pairs}>
        <dt>{t('cluster.server')}</dt>
        <dd className="mono">{check.server}</dd>
        <dt>Kubernetes</dt>
        <dd className="mono">{check.kubernetes_version}</dd>
        <dt>{t('cluster.nodes')}</dt>
        <dd>{check.nodes}</dd>
        <dt>UID</dt>
        <dd className="mono">{check.cluster_uid}</dd>
      </dl>
      <details open={lacking.length > 0}>
        <summary>
          {t('cluster.rights', { allowed: check.rights.length - lacking.length, all: check.rights.length })}
        </summary>
        <ul className={styles.rights}>
          {[...check.rights]
            .sort((left, right) => Number(left.allowed) - Number(right.allowed))
            .map(({ action, allowed }) => (
              <li key={action}>
                <StateIcon tone={allowed ? 'running' : 'failed'} />
                <code>{action}</code>
                <span className="visually-hidden">
                  {t(allowed ? 'cluster.right_held' : 'cluster.right_lacking')}
                </span>
              </li>
            ))}
        </ul>
      </details>
    </div>
  );
}
