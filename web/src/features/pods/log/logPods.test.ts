import { describe, expect, it } from 'vitest';
import type { LogSourceState } from '@/api/schema';
import { LogPods } from './logPods';

const said = (state: LogSourceState, container = 'app', pod = 'web-1') =>
  ({ type: 'source', cluster: 'east', pod, container, state, reason: '' }) as const;

describe('the pods of a log', () => {
  it('keep their colours, in the order they came', () => {
    const pods = new LogPods();
    expect(pods.wrote('east', 'web-1', 'app')).toBe('east/web-1');
    pods.wrote('west', 'web-1', 'app');
    pods.wrote('east', 'web-1', 'proxy');
    expect(pods.list.map(({ key, colour }) => [key, colour])).toEqual([
      ['east/web-1', 0],
      ['west/web-1', 1],
    ]);
    expect(pods.colourOf('west/web-1')).toBe(1);
    expect(pods.containers).toEqual(['app', 'proxy']);
  });

  it('know the containers that were seen before, in a log of one of them', () => {
    const containers = new Set(['app', 'proxy']);
    const pods = new LogPods(containers);
    pods.wrote('east', 'web-1', 'proxy');
    expect(pods.containers).toEqual(['app', 'proxy']);
    pods.wrote('east', 'web-1', 'debug');
    expect(new LogPods(containers).containers).toEqual(['app', 'debug', 'proxy']);
  });

  it('are over when all of their containers are', () => {
    const pods = new LogPods();
    pods.take(said('waiting', ''));
    pods.take(said('followed', 'app'));
    pods.take(said('followed', 'proxy'));
    expect(pods.list[0]?.state).toBe('followed');
    pods.take(said('ended', 'app'));
    expect(pods.list[0]?.state).toBe('followed');
    pods.take(said('ended', 'proxy'));
    expect(pods.list[0]?.state).toBe('ended');
    pods.take(said('away', ''));
    expect(pods.list[0]?.state).toBe('away');
  });

  it('say once why lines are missing, until more lines came', () => {
    const pods = new LogPods();
    expect(pods.take(said('followed'))).toBe(false);
    expect(pods.take(said('away'))).toBe(true);
    expect(pods.take(said('followed'))).toBe(false);
    expect(pods.take(said('away'))).toBe(false);
    pods.wrote('east', 'web-1', 'app');
    expect(pods.take(said('away'))).toBe(true);
    expect(pods.take(said('lost'))).toBe(true);
  });

  it('are forgotten when they are over and many more came', () => {
    const pods = new LogPods();
    for (let number = 0; number < 300; number += 1) {
      pods.wrote('east', `web-${number}`, 'app');
      if (number > 0) pods.take(said('ended', 'app', `web-${number}`));
    }
    expect(pods.list).toHaveLength(200);
    expect(pods.list.slice(0, 2).map(({ key, colour }) => [key, colour])).toEqual([
      ['east/web-0', 0],
      ['east/web-101', 5],
    ]);
  });

  it('are not what is said of a whole cluster', () => {
    const pods = new LogPods();
    expect(pods.take(said('away', '', ''))).toBe(true);
    expect(pods.list).toEqual([]);
  });
});
