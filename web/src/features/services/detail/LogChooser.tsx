import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/types';
import { StateIcon } from '@/components/StateIcon';
import { podTone } from '@/components/status';

/** Whose log: a pod's, a cluster's without one, all without either. */
export interface LogChoice {
  cluster: string | undefined;
  pod: string | undefined;
}

interface Props {
  pods: Pod[];
  chosen: LogChoice;
  onChoose: (choice: LogChoice) => void;
}

// An alias, since antd's options have an index signature that interfaces lack.
type Option = { value: string; label: string; choice: LogChoice; pod?: Pod };

const keyOf = ({ cluster, pod }: LogChoice) => `${cluster ?? ''}/${pod ?? ''}`;

export function LogChooser({ pods, chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const clusters = [...new Set([...pods.map(({ cluster }) => cluster), chosen.cluster ?? ''])]
    .filter(Boolean)
    .sort();
  const option = (label: string, choice: LogChoice, pod?: Pod): Option => ({
    value: keyOf(choice),
    label,
    choice,
    pod,
  });
  const options = [
    option(t('log.all_pods'), { cluster: undefined, pod: undefined }),
    ...(clusters.length > 1 || chosen.cluster ? clusters : []).map((cluster) =>
      option(t('log.pods_on', { cluster }), { cluster, pod: undefined }),
    ),
    ...pods.map((pod) => option(`${pod.cluster}/${pod.name}`, { cluster: pod.cluster, pod: pod.name }, pod)),
  ];
  return (
    <Select<string, Option>
      showSearch={{ optionFilterProp: 'label' }}
      aria-label={t('log.pod')}
      style={{ minWidth: 'min(340px, 100%)', maxWidth: '100%' }}
      value={keyOf(chosen)}
      onChange={(_, picked) => {
        if (!Array.isArray(picked) && picked) onChoose(picked.choice);
      }}
      options={options}
      optionRender={({ data: { label, pod } }) =>
        pod ? (
          <span style={{ display: 'inline-flex', gap: 8, alignItems: 'center' }}>
            <StateIcon tone={podTone(pod)} />
            <span className="mono">{label}</span>
            <span className="faint">{pod.status}</span>
          </span>
        ) : (
          label
        )
      }
    />
  );
}
