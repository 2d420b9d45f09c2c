import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '@/api/error';

/** Read again even when no change was told: ages and counts stay true when the event stream is silent. */
const REFRESH_MS = 30_000;
/** A browser without a way to the internet takes itself for offline, and may have one to the portal. */
const NETWORK = 'always';

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: NETWORK,
        staleTime: 5_000,
        refetchInterval: ({ state: { error } }) => (error && !isTransient(error) ? false : REFRESH_MS),
        retry: (failures, error) => isTransient(error) && failures < 2,
        retryDelay: (failures) => 500 * 2 ** failures,
        throwOnError: false,
      },
      mutations: { networkMode: NETWORK, retry: false },
    },
  });
}

/** No answer, or one that asks to come again; a refusal stays a refusal. */
function isTransient(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 502 || error.status === 503);
}
