import { queryOptions, useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { client, send, setCsrfToken } from '@/api/client';
import { ApiError } from '@/api/error';
import type { Session } from '@/api/types';

/** Whether this browser signed in and was not signed out: without it there is no session to ask for. */
const SIGNED_IN = 'longshore.signed_in';

/** Keeps what later requests and visits need to know of a session; null forgets it. */
export function rememberSession(session: Session | null): void {
  setCsrfToken(session?.csrf_token);
  if (session) localStorage.setItem(SIGNED_IN, 'yes');
  else localStorage.removeItem(SIGNED_IN);
}

/** Who is signed in; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session | null> => {
    if (localStorage.getItem(SIGNED_IN) === null) return null;
    try {
      const session = await send(client.GET('/api/v1/session', { signal }));
      rememberSession(session);
      return session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        rememberSession(null);
        return null;
      }
      throw error;
    }
  },
  staleTime: 60_000,
  refetchInterval: 5 * 60_000,
});

export function useSessionQuery() {
  return useQuery(sessionQuery);
}

export const SessionContext = createContext<Session | null>(null);

/** The session of the page; only below `SessionGuard`. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('a page that needs a session is shown outside of SessionGuard');
  return session;
}
