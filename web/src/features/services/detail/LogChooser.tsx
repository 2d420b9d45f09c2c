import { useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Pod, ServiceAddress } from '@/api/types';
import { StateIcon } from '@/components/StateIcon';
import { podTone } from '@/components/status';
import { useOffer } from '@/components/useOffer';

/** Whose log: a pod's, a cluster's without one, all without either. */
export interface LogChoice {
  cluster: string | undefined;
  pod: string | undefined;
}

interface Props {
  address: ServiceAddress;
  chosen: LogChoice;
  onChoose: (choice: LogChoice) => void;
}

// An alias, since antd's options have an index signature that interfaces lack.
type Option = { value: string; label: string; choice: LogChoice; pod?: Pod };

const keyOf = ({ cluster, pod }: LogChoice) => `${cluster ?? ''}/${pod ?? ''}`;

/** Chooses among the clusters that hold a service, and its pods: the newest, or those that are searched. */
export function LogChooser({ address, chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const offer = useOffer();
  const pods = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/pods', {
      params: {
        path: address,
        // A pod is called by its cluster and name here, and found by its name.
        query: { ...offer.query, q: offer.typed.split('/').at(-1) || undefined, sort: '-created_at' },
      },
    }),
    ...offer.rest,
  });
  const assignments = useQuery(
    read('/api/v1/projects/{project}/environments/{environment}/services/{service}/assignments', {
      params: { path: address },
    }),
  );
  const holders = assignments.data?.items.map(({ cluster }) => cluster) ?? [];
  const clusters = [...new Set([...holders, chosen.cluster ?? ''])].filter(Boolean).sort();
  const option = (label: string, choice: LogChoice, pod?: Pod): Option => ({
    value: keyOf(choice),
    label,
    choice,
    pod,
  });
  const groups = [
    option(t('log.all_pods'), { cluster: undefined, pod: undefined }),
    ...(clusters.length > 1 || chosen.cluster ? clusters : []).map((cluster) =>
      option(t('log.pods_on', { cluster }), { cluster, pod: undefined }),
    ),
  ];
  const typed = offer.typed.toLowerCase();
  return (
    <Select<string, Option>
      {...offer.select(pods)}
      aria-label={t('log.pod')}
      style={{ minWidth: 'min(340px, 100%)', maxWidth: '100%' }}
      value={keyOf(chosen)}
      onChange={(_, picked) => {
        if (!Array.isArray(picked) && picked) onChoose(picked.choice);
      }}
      options={[
        ...groups.filter(({ label }) => label.toLowerCase().includes(typed)),
        ...(pods.data?.items ?? []).map((pod) =>
          option(`${pod.cluster}/${pod.name}`, { cluster: pod.cluster, pod: pod.name }, pod),
        ),
      ]}
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
