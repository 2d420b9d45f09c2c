import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useReducer, useState } from 'react';
import { Refresher } from './refresher';
import { addressOf, liveReducer, type LiveState, parseChange, retryDelay, TOPICS, touches } from './live';

const LiveContext = createContext<LiveState>({ kind: 'connecting' });

export function useLive(): LiveState {
  return useContext(LiveContext);
}

/** A server that sends `ping` events and then none for so long is gone, even if the connection still stands. */
const SILENCE_MS = 45_000;
const STREAM = '/api/v1/stream';

/**
 * Follows the one event stream of this tab, from a place before anything was read, and makes what it names stale.
 * Without the place, what changes between the first reading and the opening of the stream would be missed.
 */
export function LiveProvider({ from, children }: { from: string; children: ReactNode }) {
  const queries = useQueryClient();
  const [state, dispatch] = useReducer(liveReducer, { kind: 'connecting' });
  const [start] = useState(from);

  useEffect(() => {
    let source: EventSource | undefined;
    let cursor = start;
    let attempts = 0;
    const refresher = new Refresher(queries);
    let retry: ReturnType<typeof setTimeout> | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;

    const pinged = () => {
      clearTimeout(silence);
      silence = setTimeout(failed, SILENCE_MS);
    };
    const failed = () => {
      source?.close();
      clearTimeout(silence);
      attempts += 1;
      dispatch({ type: 'failed', at: Date.now() });
      retry = setTimeout(connect, retryDelay(attempts));
    };
    const connect = () => {
      const query = new URLSearchParams({ topics: TOPICS.join(',') });
      if (cursor) query.set('cursor', cursor);
      source = new EventSource(`${STREAM}?${query}`);
      source.onopen = () => {
        // What was missed while it was down is read again; the cursor covers short gaps only.
        if (attempts > 0) void queries.invalidateQueries();
        attempts = 0;
        dispatch({ type: 'opened' });
      };
      source.onerror = failed;
      source.addEventListener('ping', pinged);
      source.addEventListener('change', (event) => {
        const change = parseChange(event.data as string);
        if (!change) return;
        if (change.cursor) cursor = change.cursor;
        refresher.mark((queryKey) => {
          const address = addressOf(queryKey);
          return address !== undefined && touches(change, address);
        });
      });
      source.addEventListener('reset', (event) => {
        cursor = event.lastEventId;
        void queries.invalidateQueries();
      });
    };
    connect();
    return () => {
      source?.close();
      clearTimeout(retry);
      refresher.stop();
      clearTimeout(silence);
      dispatch({ type: 'closed' });
    };
  }, [queries, start]);

  return <LiveContext value={state}>{children}</LiveContext>;
}
