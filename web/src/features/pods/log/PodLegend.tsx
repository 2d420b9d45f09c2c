import { useTranslation } from 'react-i18next';
import type { LogPod } from './logPods';
import { podLabel } from './podLabel';
import styles from './log.module.css';

interface Props {
  pods: LogPod[];
  prefix: string;
  hidden: ReadonlySet<string>;
  onToggle: (key: string) => void;
}

/** The pods whose lines these are: what their colours mean, how each fares; a press hides and shows one's lines. */
export function PodLegend({ pods, prefix, hidden, onToggle }: Props) {
  const { t } = useTranslation();
  return (
    <ul className={styles.legend} aria-label={t('log.pods')}>
      {pods.map(({ key, cluster, pod, colour, state }) => {
        const { text, title } = podLabel(cluster, pod, colour, prefix);
        return (
          <li key={key}>
            <button
              type="button"
              aria-pressed={!hidden.has(key)}
              data-colour={colour}
              title={t('log.pod_toggle', { pod: title })}
              onClick={() => onToggle(key)}
            >
              {text}
              {state !== 'followed' && <span> · {t(`log.source_${state}`)}</span>}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
