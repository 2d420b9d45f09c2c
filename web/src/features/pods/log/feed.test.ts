import { describe, expect, it } from 'vitest';
import { framesOf, podFeed, serviceFeed } from './feed';
import { LogRecord } from './logRecord';

const options = { container: undefined, tail: 500, sinceSeconds: 60, previous: false, follow: true };
const line = (pod: string, text: string) => ({
  cluster: 'east',
  pod,
  container: 'app',
  at: '2026-03-10T12:00:00.123456789Z',
  text,
});

describe('what is asked of a log', () => {
  const service = { project: 'shop', environment: 'test', service: 'web' };

  it('is in its addresses, and nothing else is', () => {
    const feed = serviceFeed(service, 'east', { ...options, container: 'app' });
    expect(feed.live).toBe(true);
    expect(feed.downloadUrl).toBe(
      '/api/v1/projects/shop/environments/test/services/web/log?cluster=east&container=app&since_seconds=60&download=true',
    );
    expect(feed.fileName).toBe('web-east.log');
    const pod = { project: 'shop', environment: 'test', cluster: 'east', pod: 'web-1' };
    expect(podFeed(pod, { ...options, previous: true, sinceSeconds: undefined }).downloadUrl).toBe(
      '/api/v1/projects/shop/environments/test/clusters/east/pods/web-1/log?timestamps=true&previous=true&download=true',
    );
  });

  it('is read once when it is that of the runs before', () => {
    expect(serviceFeed(service, undefined, { ...options, previous: true }).live).toBe(false);
    expect(serviceFeed(service, undefined, { ...options, follow: false }).live).toBe(false);
  });
});

describe('what a log told', () => {
  it('is its lines with whose they are, and what is missing', () => {
    const record = new LogRecord();
    const frames = framesOf({
      lines: [line('web-1', '\u001b[1mone\u001b[0m'), line('web-2', 'two')],
      cursor: 'c',
      shortened: true,
      left_out: [{ cluster: 'east', pod: 'web-0' }],
      gaps: [{ cluster: 'west', reason: 'no answer', observed_at: null }],
    });
    for (const frame of frames) record.take(frame);
    expect(record.buffer.lines).toEqual([
      { id: 1, time: line('', '').at, text: 'one', pod: 'east/web-1', container: 'app' },
      { id: 2, time: line('', '').at, text: 'two', pod: 'east/web-2', container: 'app' },
      { id: 3, text: 'no answer', pod: 'west', container: '', note: 'away' },
    ]);
    expect(record.pods.list.map(({ key }) => key)).toEqual(['east/web-1', 'east/web-2']);
    expect(record).toMatchObject({ leftOut: 1, shortened: true });
    record.take({ type: 'left_out', pods: [] });
    expect(record.leftOut).toBe(0);
  });

  it('is text alone where it is of one container', () => {
    const record = new LogRecord();
    record.take({ type: 'lines', lines: ['2026-03-10T12:00:00Z one', 'two'], cursor: 'c' });
    expect(record.buffer.lines.map(({ text, pod }) => [text, pod])).toEqual([
      ['one', undefined],
      ['two', undefined],
    ]);
  });
});
