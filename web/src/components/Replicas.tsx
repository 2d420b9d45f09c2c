import { useTranslation } from 'react-i18next';
import type { ServiceStatus } from '@/api/types';
import styles from './Replicas.module.css';

type Counts = Pick<ServiceStatus, 'ready' | 'wanted' | 'unknown'>;

/** Ready of wanted, as numbers and as a bar; replicas that nobody can see now are hatched, never green. */
export function Replicas({ ready, wanted, unknown }: Counts) {
  const { t } = useTranslation();
  const words = unknown > 0 ? 'service.replicas_label' : 'service.replicas_ready';
  const label = t(words, { ready, wanted, unknown, count: wanted });
  const whole = Math.max(wanted, ready + unknown, 1);
  return (
    <span className={styles.replicas} title={label}>
      <span className="number">
        {ready}
        <span className="faint">/{wanted}</span>
      </span>
      <span className={styles.track} aria-hidden="true">
        <span
          className={styles.ready}
          data-full={ready >= wanted}
          style={{ width: `${(ready / whole) * 100}%` }}
        />
        <span className={styles.unknown} style={{ width: `${(unknown / whole) * 100}%` }} />
      </span>
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
