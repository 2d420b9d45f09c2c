import { describe, expect, it } from 'vitest';
import { addressOf, liveReducer, type LiveState, parseChange, retryDelay, touches } from './live';
import type { Change } from './types';

const change = (patch: Partial<Change>): Change => ({
  cursor: '1:1',
  topic: 'services',
  at: '2026-03-10T12:00:00Z',
  ...patch,
});
const address = (path: string, parameters: Record<string, unknown> = {}) => ({
  path: `/api/v1${path}`,
  parameters,
});
const SERVICE = '/projects/{project}/environments/{environment}/services/{service}';

describe('a change', () => {
  const web = change({ project: 'shop', environment: 'test', service: 'web' });

  it('touches the service that it names and no other', () => {
    const path = { project: 'shop', environment: 'test', service: 'web' };
    expect(touches(web, address(SERVICE, path))).toBe(true);
    expect(touches(web, address(SERVICE, { ...path, service: 'api' }))).toBe(false);
    expect(touches(web, address(SERVICE, { ...path, environment: 'production' }))).toBe(false);
  });

  it('touches lists whose filters it fits', () => {
    expect(touches(web, address('/services', {}))).toBe(true);
    expect(touches(web, address('/services', { project: 'shop', q: 'x' }))).toBe(true);
    expect(touches(web, address('/services', { project: 'billing' }))).toBe(false);
    expect(touches(web, address('/overview'))).toBe(true);
  });

  it('touches only what its topic is shown in', () => {
    const pods = change({
      topic: 'pods',
      project: 'shop',
      environment: 'test',
      service: 'web',
      cluster: 'east',
    });
    expect(touches(pods, address('/pods'))).toBe(true);
    expect(
      touches(pods, address(`${SERVICE}/pods`, { project: 'shop', environment: 'test', service: 'web' })),
    ).toBe(true);
    expect(touches(pods, address(SERVICE, { project: 'shop', environment: 'test', service: 'web' }))).toBe(
      false,
    );
    expect(touches(pods, address('/pods', { cluster: 'west' }))).toBe(false);
    expect(touches(change({ topic: 'audit' }), address('/audit'))).toBe(true);
    expect(touches(change({ topic: 'audit' }), address('/services'))).toBe(false);
  });

  it('never touches what does not change: a revision, a diff', () => {
    expect(touches(web, address(`${SERVICE}/revisions/{revision}`))).toBe(false);
    expect(touches(web, address(`${SERVICE}/revisions/{revision}/diff`))).toBe(false);
  });

  it('of a topic that this page does not know touches nothing', () => {
    expect(touches(change({ topic: 'weather' as never }), address('/services'))).toBe(false);
  });

  it('is compared with path and query parameters of a key', () => {
    expect(
      addressOf(['/api/v1/services', { params: { query: { project: 'shop' }, path: { x: 1 } } }]),
    ).toEqual({
      path: '/api/v1/services',
      parameters: { project: 'shop', x: 1 },
    });
    expect(addressOf([{ not: 'a path' }])).toBeUndefined();
  });

  it('is read from JSON, and nonsense is not', () => {
    expect(parseChange('{"topic":"pods","cursor":"1:2","at":""}')).toMatchObject({ topic: 'pods' });
    expect(parseChange('{')).toBeUndefined();
    expect(parseChange('{}')).toBeUndefined();
    expect(parseChange('null')).toBeUndefined();
  });
});

describe('the event stream', () => {
  it('keeps the time of the first failure of its run', () => {
    let state: LiveState = { kind: 'connecting' };
    state = liveReducer(state, { type: 'failed', at: 100 });
    state = liveReducer(state, { type: 'failed', at: 900 });
    expect(state).toEqual({ kind: 'down', since: 100, attempts: 2 });
    state = liveReducer(state, { type: 'opened' });
    expect(state).toEqual({ kind: 'open' });
    expect(liveReducer(state, { type: 'failed', at: 950 })).toMatchObject({ since: 950, attempts: 1 });
    expect(liveReducer(state, { type: 'closed' })).toEqual({ kind: 'connecting' });
  });

  it('waits longer from try to try, but never long', () => {
    expect([1, 2, 3, 4, 5, 50].map(retryDelay)).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });
});
