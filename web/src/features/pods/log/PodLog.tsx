import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { PodAddress } from '@/api/types';
import { type LogOptions, podFeed } from './feed';
import { LogViewer } from './LogViewer';
import { DEFAULT_OPTIONS } from './options';

interface Props {
  address: PodAddress;
  /** Names; the first is chosen when none is asked for. */
  containers: string[];
  /** Chooses the pod. */
  chooser?: React.ReactNode;
}

/** The log of one container. */
export function PodLog({ address, containers, chooser }: Props) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<LogOptions>(DEFAULT_OPTIONS);
  const { project, environment, cluster, pod } = address;
  const container =
    chosen.container && containers.includes(chosen.container) ? chosen.container : containers[0];
  const options = useMemo(() => ({ ...chosen, container }), [chosen, container]);
  const feed = useMemo(
    () => podFeed({ project, environment, cluster, pod }, options),
    [project, environment, cluster, pod, options],
  );
  return (
    <LogViewer
      feed={feed}
      options={options}
      onOptions={(next) => setChosen({ ...chosen, ...next })}
      containers={containers}
      chooser={chooser}
      empty={t('log.empty')}
    />
  );
}
