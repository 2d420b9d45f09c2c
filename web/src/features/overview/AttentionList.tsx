import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Service } from '@/api/types';
import { servicePath } from '@/components/paths';
import { Replicas } from '@/components/Replicas';
import { ShortMessage } from '@/components/ShortMessage';
import { ServiceStateTag } from '@/components/StateTag';
import { pathOf } from '@/features/services/actions/useServiceMutation';
import { SinceAndBefore } from './SinceAndBefore';
import styles from './overview.module.css';

/** The services that somebody should look at: what, where, since when, and what was done before. */
export function AttentionList({ services }: { services: Service[] }) {
  const { t } = useTranslation();
  return (
    <ul className={styles.attention} aria-label={t('overview.attention')}>
      {services.map((service) => (
        <li key={service.id}>
          <div className={styles.what}>
            <Link to={servicePath(pathOf(service))} className={styles.clusterName}>
              {service.name}
            </Link>
            <div className="muted">
              {service.project} / {service.environment}
            </div>
          </div>
          <div className={styles.how}>
            <div className={styles.now}>
              <ServiceStateTag status={service.status} />
              <Replicas {...service.status} />
            </div>
            {service.status.message && <ShortMessage message={service.status.message} />}
          </div>
          <SinceAndBefore service={service} />
        </li>
      ))}
    </ul>
  );
}
