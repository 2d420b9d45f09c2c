import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import type { Pod, PodAddress } from '@/api/types';

/** The pod whose drawer is open stands in the URL as `?pod=project/environment/cluster/name`. */
const PARAMETER = 'pod';

export function podParameter({ project, environment, cluster, pod }: PodAddress): string {
  return [project, environment, cluster, pod].join('/');
}

export function parsePodParameter(text: string | null): PodAddress | undefined {
  const [project, environment, cluster, pod, ...rest] = text?.split('/') ?? [];
  if (!project || !environment || !cluster || !pod || rest.length > 0) return undefined;
  return { project, environment, cluster, pod };
}

/** Links to a pod's drawer on the page one is on; none for pods that the platform does not run. */
export function usePodLink(): (pod: Pod) => { search: string } | undefined {
  const [search] = useSearchParams();
  return useCallback(
    ({ project, environment, cluster, name }) => {
      if (!project || !environment) return undefined;
      const next = new URLSearchParams(search);
      next.set(PARAMETER, podParameter({ project, environment, cluster, pod: name }));
      return { search: `?${next}` };
    },
    [search],
  );
}

export function useOpenPod() {
  const [search, setSearch] = useSearchParams();
  const close = () => {
    const next = new URLSearchParams(search);
    next.delete(PARAMETER);
    setSearch(next, { preventScrollReset: true });
  };
  return { address: parsePodParameter(search.get(PARAMETER)), close };
}
