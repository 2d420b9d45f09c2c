import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ServiceAddress } from '@/api/types';
import { type LogOptions, serviceFeed } from './feed';
import { LogViewer } from './LogViewer';
import { DEFAULT_OPTIONS } from './options';

interface Props {
  address: ServiceAddress;
  /** Only pods of this one. */
  cluster: string | undefined;
  /** There are pods now. */
  hasPods: boolean;
  chooser: React.ReactNode;
}

/** The log of all pods of a service, merged in time. */
export function ServiceLog({ address, cluster, hasPods, chooser }: Props) {
  const { t } = useTranslation();
  const [options, setOptions] = useState<LogOptions>(DEFAULT_OPTIONS);
  const { project, environment, service } = address;
  const feed = useMemo(
    () => serviceFeed({ project, environment, service }, cluster, options),
    [project, environment, service, cluster, options],
  );
  return (
    <LogViewer
      feed={feed}
      options={options}
      onOptions={(next) => setOptions({ ...options, ...next })}
      chooser={chooser}
      several={{ prefix: `${service}-` }}
      empty={t(hasPods ? 'log.empty' : 'log.no_pod_text')}
    />
  );
}
