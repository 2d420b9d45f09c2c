import { useTranslation } from 'react-i18next';
import type { ServiceState, ServiceStatus } from '@/api/types';
import { Age } from './Age';
import type { Tone } from './status';
import { StateIcon } from './StateIcon';
import styles from './StateTag.module.css';

interface Props {
  tone: Tone;
  label: string;
  /** Shown after the word: since when, or how old. */
  children?: React.ReactNode;
  plain?: boolean;
}

/** A state: its shape, its colour and its word. */
export function StateTag({ tone, label, children, plain = false }: Props) {
  return (
    <span className={`${styles.tag} ${plain ? styles.plain : ''}`} data-tone={tone} data-state={label}>
      <StateIcon tone={tone} />
      <span>{label}</span>
      {children}
    </span>
  );
}

/** A service's state; an unknown one says how old the last good look is. */
export function ServiceStateTag({ status, plain }: { status: ServiceStatus; plain?: boolean }) {
  const { t } = useTranslation();
  const old = status.state === 'unknown' && status.observed_at;
  return (
    <StateTag tone={status.state} label={t(`state.service.${status.state}`)} plain={plain}>
      {old && (
        <span className={styles.age}>
          <Age at={status.observed_at} />
        </span>
      )}
    </StateTag>
  );
}

export function useServiceStateWord(): (state: ServiceState) => string {
  const { t } = useTranslation();
  return (state) => t(`state.service.${state}`);
}
