import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { client, send } from '@/api/client';
import type { Placement, Resources } from '@/api/types';
import { useDebounced } from '@/components/useDebounced';

/** What the division rests on. */
export interface PreviewInput {
  project: string;
  environment: string;
  /** The service that is there already, if it is. */
  service: string | undefined;
  replicas: number;
  placement: Placement;
  /** Nothing is asked before they are known. */
  resources: Resources | undefined;
}

const STILL_MS = 400;

/** Where the replicas would go, asked once typing has paused; nothing is stored. */
export function usePlacementPreview(input: PreviewInput) {
  const settled = useDebounced(JSON.stringify(input), STILL_MS);
  const { project, environment, ...asked } = JSON.parse(settled) as PreviewInput;
  return useQuery({
    queryKey: ['placement-preview', settled],
    enabled: Boolean(project && environment && asked.resources),
    placeholderData: keepPreviousData,
    refetchInterval: false,
    retry: false,
    queryFn: ({ signal }) =>
      send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/preview', {
          params: { path: { project, environment } },
          body: asked,
          signal,
        }),
      ),
  });
}
