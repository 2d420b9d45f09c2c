import { useQuery } from '@tanstack/react-query';
import { client, send } from '@/api/client';
import type { Service } from '@/api/types';
import { runPool } from '@/components/bulk/pool';
import { type Before, releasedBefore } from './plans';

/** As many as a browser opens to one server beside what the page itself reads. */
const AT_ONCE = 4;
/** The newest operations of a service among which its releases are looked for. */
const SEARCHED = 100;

/** Where each of the services would go back to. */
export function useReleasedBefore(
  services: readonly Service[],
  wanted: boolean,
): (service: Service) => Before {
  const asked = services.filter(({ revision }) => revision > 1);
  const found = useQuery({
    queryKey: ['released before', asked.map(({ id, revision }) => [id, revision])],
    enabled: wanted && asked.length > 0,
    staleTime: Infinity,
    refetchInterval: false,
    queryFn: async ({ signal }) => {
      const known: Record<string, Before> = {};
      const look = (service: Service) => async () => {
        const { id, project, environment, name, revision } = service;
        const query = { project, environment, service: name, limit: SEARCHED };
        try {
          const { items } = await send(client.GET('/api/v1/operations', { params: { query }, signal }));
          known[id] = releasedBefore(items, revision);
        } catch {
          // One that can't be read is left alone, and the others are not.
          known[id] = 'unread';
        }
      };
      await runPool(asked.map(look), AT_ONCE, () => signal.aborted);
      return known;
    },
  });
  return ({ id }) => found.data?.[id] ?? 'reading';
}
