import { useTranslation } from 'react-i18next';
import type { Assignment, Service } from '@/api/types';
import { Age } from '@/components/Age';
import { PermitButton } from '@/components/PermitButton';
import { StateIcon } from '@/components/StateIcon';
import type { ServiceActionChoice } from '../actions/ServiceAction';
import styles from './detail.module.css';

interface Props {
  service: Service;
  assignments: Assignment[] | undefined;
  onAction: (choice: ServiceActionChoice) => void;
}

/** Where a singleton may still run though it is to run elsewhere, and who accepted that. */
export function SingletonNotice({ service, assignments = [], onAction }: Props) {
  const { t } = useTranslation();
  const waiting = new Set(assignments.flatMap(({ waits_for }) => waits_for ?? []));
  // One that answers is simply emptied first.
  const clusters = assignments
    .filter(({ cluster, cluster_ready }) => waiting.has(cluster) && !cluster_ready)
    .map(({ cluster }) => cluster);
  const accepted = assignments.filter(({ accepted_risk }) => accepted_risk);
  if (clusters.length === 0 && accepted.length === 0) return null;
  return (
    <section className={styles.message} data-tone="degraded" aria-label={t('singleton.title')}>
      <StateIcon tone="degraded" size={18} />
      <div className={styles.messageBody}>
        {clusters.length > 0 && (
          <>
            <p className={styles.messageTitle}>{t('singleton.waits', { clusters: clusters.join(', ') })}</p>
            <p>{t('singleton.waits_text')}</p>
            <div>
              <PermitButton
                danger
                permission="cluster:write"
                blocked={service.deleting ? t('service.being_deleted') : undefined}
                onClick={() => onAction({ kind: 'accept_risk', service, clusters })}
              >
                {t('singleton.accept')}
              </PermitButton>
            </div>
          </>
        )}
        {accepted.map(({ cluster, accepted_risk }) => (
          <p key={cluster}>
            {t('singleton.accepted_by', { cluster, by: accepted_risk?.by, reason: accepted_risk?.reason })}{' '}
            <Age at={accepted_risk?.at} className="faint" />
          </p>
        ))}
      </div>
    </section>
  );
}
