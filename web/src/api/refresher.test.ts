import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Refresher, REST_MS } from './refresher';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A list that is looked at, whose answers take `takes` ms. */
function watch(queries: QueryClient, takes: number) {
  const reads = { begun: 0, ended: 0 };
  const observer = new QueryObserver(queries, {
    queryKey: ['list'],
    queryFn: async () => {
      reads.begun += 1;
      await new Promise((resolve) => setTimeout(resolve, takes));
      reads.ended += 1;
      return reads.ended;
    },
  });
  const stop = observer.subscribe(() => undefined);
  return { reads, stop };
}

it('reads as often in a storm of changes as in a breeze, and never breaks off what is being read', async () => {
  const queries = new QueryClient();
  const refresher = new Refresher(queries);
  const { reads, stop } = watch(queries, 800);
  await vi.advanceTimersByTimeAsync(1_000);
  for (let at = 0; at < 23_000; at += 20) {
    refresher.mark(() => true);
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(reads.begun).toBeLessThanOrEqual(1 + Math.ceil(23_000 / (REST_MS + 800)));
  expect(reads.ended).toBeGreaterThanOrEqual(8);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(reads.ended).toBe(reads.begun);
  stop();
  refresher.stop();
});

it('reads once more for a change that came while it was reading', async () => {
  const queries = new QueryClient();
  const refresher = new Refresher(queries);
  const { reads, stop } = watch(queries, 500);
  refresher.mark(() => true);
  await vi.advanceTimersByTimeAsync(500);
  expect(reads.begun).toBe(1);
  await vi.advanceTimersByTimeAsync(REST_MS + 1_000);
  expect(reads.ended).toBe(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reads.begun).toBe(2);
  stop();
});

it('only marks what nobody looks at', async () => {
  const queries = new QueryClient();
  queries.setQueryData(['list'], 1);
  new Refresher(queries).mark(([name]) => name === 'list');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(queries.getQueryState(['list'])?.isInvalidated).toBe(true);
});
