import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '@/api/error';
import type { Feed, Frame } from './feed';
import { followLog, type LogState } from './followLog';

/** A connection that does what the test says. */
class Connection {
  static all: Connection[] = [];
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (message: { data: string }) => void;
  constructor(readonly url: string) {
    Connection.all.push(this);
  }
  closed = false;
  close() {
    this.closed = true;
    this.onclose?.();
  }
  tell(frame: Frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

const line = (text: string, cursor: string): Frame => ({ type: 'lines', lines: [text], cursor });

function start({ endless = true, read = () => Promise.resolve<Frame[]>([]) } = {}) {
  const feed: Feed = {
    live: true,
    endless,
    streamUrl: (cursor) => cursor ?? 'the tail',
    read,
    downloadUrl: '',
    fileName: '',
  };
  const shown: Frame[] = [];
  const states: LogState[] = [];
  const stop = followLog(
    feed,
    (frames) => shown.push(...frames),
    (state) => states.push(state),
  );
  const last = () => Connection.all.at(-1) as Connection;
  return { shown, states, stop, last };
}

beforeEach(() => {
  vi.useFakeTimers();
  Connection.all = [];
  vi.stubGlobal('WebSocket', Connection);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('goes on after a cut where the last lines ended', async () => {
  const { shown, states, last, stop } = start();
  expect(last().url).toBe('the tail');
  last().onopen?.();
  last().tell(line('one', 'c1'));
  last().tell(line('two', 'c2'));
  last().tell({ type: 'left_out', pods: [] });
  last().close();
  expect(states.at(-1)).toEqual({ kind: 'reconnecting', attempts: 1 });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(last().url).toBe('c2');
  // Once more before anything came: later, and from the same place.
  last().close();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(Connection.all).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(last().url).toBe('c2');
  last().onopen?.();
  last().tell(line('three', 'c3'));
  expect(states.at(-1)).toEqual({ kind: 'following' });
  expect(shown.filter(({ type }) => type === 'lines')).toEqual([
    line('one', 'c1'),
    line('two', 'c2'),
    line('three', 'c3'),
  ]);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Connection.all).toHaveLength(3);
});

it('is over when a container is, and goes on when only the connection is', async () => {
  const container = start({ endless: false });
  container.last().tell({ type: 'end', reason: 'it stopped' });
  container.last().close();
  expect(container.states).toEqual([{ kind: 'ended', reason: 'it stopped' }]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Connection.all).toHaveLength(1);

  const service = start();
  service.last().tell(line('one', 'c1'));
  service.last().tell({ type: 'end', reason: 'the server is restarted' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(service.last().url).toBe('c1');
  service.stop();
});

it('tells why it is refused, and waits for what does not answer', async () => {
  let error = new ApiError(0, 'network', 'no answer');
  const { states, last } = start({ read: () => Promise.reject(error) });
  last().close();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(states.at(-1)).toEqual({ kind: 'reconnecting', attempts: 1 });
  last().onopen?.();
  last().close();
  error = new ApiError(503, 'service_unavailable', 'restarting');
  await vi.advanceTimersByTimeAsync(2_000);
  last().close();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(states.at(-1)).toMatchObject({ kind: 'reconnecting' });
  error = new ApiError(403, 'forbidden', 'not any more');
  last().close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(states.at(-1)).toMatchObject({ kind: 'failed', error: { code: 'forbidden' } });
  expect(Connection.all).toHaveLength(4);
});

it('closes a connection that is given up only once it is there', () => {
  const early = start();
  early.stop();
  expect(early.last().closed).toBe(false);
  early.last().onopen?.();
  expect(early.last().closed).toBe(true);
  expect(early.states).toEqual([]);

  const late = start();
  late.last().onopen?.();
  late.stop();
  expect(late.last().closed).toBe(true);
});
