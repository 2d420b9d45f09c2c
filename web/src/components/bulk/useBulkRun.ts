import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type ApiError, asApiError } from '@/api/error';
import { runPool } from './pool';

/** One of many things to be done. */
export interface BulkItem {
  key: string;
  name: React.ReactNode;
  /** What will become of it. */
  will: React.ReactNode;
  /** Why it is left alone. */
  skip: string | undefined;
  /** Does it; gives the operation that goes on with it, if there is one. */
  run: () => Promise<string | null | undefined>;
}

export type Outcome =
  | { kind: 'waiting' }
  | { kind: 'sending' }
  | { kind: 'accepted'; operation: string | undefined }
  | { kind: 'refused'; error: ApiError };

/** As many as a browser opens to one server beside what the page itself reads. */
const AT_ONCE = 4;

/** Does many things one by one and remembers how each of them went. */
export function useBulkRun() {
  const queries = useQueryClient();
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const [running, setRunning] = useState(false);
  const stopped = useRef(false);
  useEffect(() => {
    stopped.current = false;
    return () => {
      stopped.current = true;
    };
  }, []);

  const start = async (items: readonly BulkItem[]) => {
    const say = (key: string, outcome: Outcome) => setOutcomes((known) => new Map(known).set(key, outcome));
    stopped.current = false;
    setRunning(true);
    for (const { key } of items) say(key, { kind: 'waiting' });
    await runPool(
      items.map(({ key, run }) => async () => {
        say(key, { kind: 'sending' });
        try {
          say(key, { kind: 'accepted', operation: (await run()) ?? undefined });
        } catch (error) {
          say(key, { kind: 'refused', error: asApiError(error) });
        }
      }),
      AT_ONCE,
      () => stopped.current,
    );
    setRunning(false);
    void queries.invalidateQueries();
  };
  return {
    outcomes,
    running,
    start,
    stop: () => {
      stopped.current = true;
    },
  };
}
