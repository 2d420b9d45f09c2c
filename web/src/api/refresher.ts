import type { Query, QueryClient } from '@tanstack/react-query';

/** Changes are collected for so long before anything is read again. */
export const COLLECT_MS = 250;
/** Whatever happens, a query is read again no sooner than so long after its last answer. */
export const REST_MS = 1_500;

/**
 * Reads again what changes touch, at a pace that does not grow with the changes: a query that is being read is left
 * to end, and one that was just read rests; both are read once more when they may.
 */
export class Refresher {
  private readonly touched = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly queries: QueryClient) {}

  /** Every query that `isTouched` shows something old. */
  mark(isTouched: (queryKey: readonly unknown[]) => boolean): void {
    for (const query of this.queries.getQueryCache().getAll()) {
      if (isTouched(query.queryKey)) this.touched.add(query.queryHash);
    }
    if (this.touched.size > 0) this.timer ??= setTimeout(this.refresh, COLLECT_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.touched.clear();
  }

  private readonly refresh = (): void => {
    this.timer = undefined;
    const now = Date.now();
    for (const hash of this.touched) {
      const query = this.queries.getQueryCache().get(hash);
      if (query && mustWait(query, now)) continue;
      this.touched.delete(hash);
      if (query) void this.queries.invalidateQueries({ queryKey: query.queryKey, exact: true });
    }
    if (this.touched.size > 0) this.timer = setTimeout(this.refresh, COLLECT_MS);
  };
}

function mustWait(query: Query, now: number): boolean {
  const { state } = query;
  // What nobody looks at is only marked, which costs nothing.
  return query.isActive() && (state.fetchStatus === 'fetching' || now - state.dataUpdatedAt < REST_MS);
}
