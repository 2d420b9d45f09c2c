import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { read } from '@/api/client';
import type { Pod, ServiceAddress } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { OFFERED } from '@/components/useOffer';
import { PodLog } from '@/features/pods/log/PodLog';
import { ServiceLog } from '@/features/pods/log/ServiceLog';
import { LogChooser, type LogChoice } from './LogChooser';

/** The log of a service: of all its pods merged in time, of those on one cluster, or of one pod; which stands in the URL. */
export function LogsTab({ address }: { address: ServiceAddress }) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const asked: LogChoice = {
    cluster: search.get('cluster') ?? undefined,
    pod: search.get('log_pod') ?? undefined,
  };
  const pods = useQuery(
    read('/api/v1/projects/{project}/environments/{environment}/services/{service}/pods', {
      params: { path: address, query: { q: asked.pod, limit: OFFERED } },
    }),
  );
  if (!pods.data) {
    return pods.error ? (
      <ErrorPanel error={pods.error} onRetry={() => void pods.refetch()} />
    ) : (
      <RowsLoading />
    );
  }
  const { items } = pods.data;
  const pod = items.find(({ cluster, name }) => cluster === asked.cluster && name === asked.pod);
  const choose = ({ cluster, pod: name }: LogChoice) => {
    const next = new URLSearchParams(search);
    for (const [key, value] of [
      ['cluster', cluster],
      ['log_pod', name],
    ] as const) {
      if (value) next.set(key, value);
      else next.delete(key);
    }
    setSearch(next, { replace: true, preventScrollReset: true });
  };
  const chosen: LogChoice = pod ? asked : { cluster: asked.pod ? undefined : asked.cluster, pod: undefined };
  const chooser = <LogChooser address={address} chosen={chosen} onChoose={choose} />;
  if (pod) return <OnePod key={`${pod.cluster}/${pod.name}`} address={address} pod={pod} chooser={chooser} />;
  return (
    <>
      {asked.pod && (
        <p className="muted" role="status" style={{ marginBottom: 8 }}>
          {t('log.pod_gone', { pod: asked.pod })}
        </p>
      )}
      <ServiceLog
        key={chosen.cluster ?? ''}
        address={address}
        cluster={chosen.cluster}
        hasPods={Boolean(asked.pod) || items.length > 0}
        chooser={chooser}
      />
    </>
  );
}

interface OneProps {
  address: ServiceAddress;
  pod: Pod;
  chooser: React.ReactNode;
}

function OnePod({ address: { project, environment }, pod: { cluster, name }, chooser }: OneProps) {
  const place = { project, environment, cluster, pod: name };
  const detail = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}', {
      params: { path: place },
    }),
    // Its containers stay the same for as long as it lives.
    staleTime: Infinity,
    refetchInterval: false,
  });
  if (!detail.data) {
    return detail.error ? (
      <>
        {chooser}
        <ErrorPanel error={detail.error} onRetry={() => void detail.refetch()} />
      </>
    ) : (
      <RowsLoading />
    );
  }
  const containers = detail.data.containers.map((container) => container.name);
  return <PodLog address={place} containers={containers} chooser={chooser} />;
}
