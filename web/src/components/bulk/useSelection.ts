import { useState } from 'react';

/** Rows chosen for one action: over pages and filters, as many as one run may hold. */
export const MOST_CHOSEN = 200;

export interface Selection<T> {
  chosen: T[];
  keys: string[];
  elsewhere: number;
  set: (keys: string[]) => void;
  clear: () => void;
}

/** What is chosen of a list of which one page is there; a row that is shown is as it is now, not as it was. */
export function useSelection<T>(items: readonly T[] | undefined, keyOf: (item: T) => string): Selection<T> {
  const [known, setKnown] = useState<ReadonlyMap<string, T>>(new Map());
  const shown = new Map((items ?? []).map((item) => [keyOf(item), item]));
  const chosen = [...known].map(([key, item]) => shown.get(key) ?? item);
  return {
    chosen,
    keys: [...known.keys()],
    elsewhere: [...known.keys()].filter((key) => !shown.has(key)).length,
    set: (keys) =>
      setKnown(
        new Map(
          keys.slice(0, MOST_CHOSEN).flatMap((key) => {
            const item = shown.get(key) ?? known.get(key);
            return item === undefined ? [] : [[key, item] as const];
          }),
        ),
      ),
    clear: () => setKnown(new Map()),
  };
}
