import { client } from '@/api/client';
import type { LogFrame, ServiceLog, ServiceLogFrame } from '@/api/schema';
import type { PodAddress, ServiceAddress } from '@/api/types';

export interface LogOptions {
  container: string | undefined;
  tail: number;
  sinceSeconds: number | undefined;
  previous: boolean;
  follow: boolean;
}

/** What arrives of a log, however it is read. */
export type Frame = LogFrame | ServiceLogFrame | { type: 'shortened' };

/** A log that can be read: of one container, or of a whole service. */
export interface Feed {
  /** It is followed, and not read once. */
  live: boolean;
  /** Its end is only that of the connection. */
  endless: boolean;
  streamUrl: (cursor: string | undefined) => string;
  /** All that is asked for; with `last`, of the end only so many lines. */
  read: (signal: AbortSignal, last?: number) => Promise<Frame[]>;
  downloadUrl: string;
  fileName: string;
}

export function podFeed(address: PodAddress, options: LogOptions): Feed {
  const { container, tail, sinceSeconds, previous } = options;
  const { project, environment, cluster, pod } = address;
  const path = pathOf('projects', project, 'environments', environment, 'clusters', cluster, 'pods', pod);
  const asked = { container, since_seconds: sinceSeconds, timestamps: true };
  return {
    live: options.follow && !previous,
    endless: false,
    streamUrl: (cursor) => socketUrl(`${path}/log/stream`, { ...asked, tail, cursor }),
    async read(signal, last = tail) {
      const { data } = await client.GET(
        '/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}/log',
        {
          params: { path: address, query: { ...asked, tail: last, previous } },
          parseAs: 'text',
          signal,
        },
      );
      const text = data ?? '';
      return [{ type: 'lines', lines: text === '' ? [] : text.replace(/\n$/, '').split('\n'), cursor: '' }];
    },
    downloadUrl: withQuery(`${path}/log`, { ...asked, previous, download: true }),
    fileName: `${pod}${container ? `-${container}` : ''}.log`,
  };
}

export function serviceFeed(address: ServiceAddress, cluster: string | undefined, options: LogOptions): Feed {
  const { container, tail, sinceSeconds, previous } = options;
  const { project, environment, service } = address;
  const path = pathOf('projects', project, 'environments', environment, 'services', service);
  const asked = { cluster, container, since_seconds: sinceSeconds };
  return {
    live: options.follow && !previous,
    endless: true,
    streamUrl: (cursor) => socketUrl(`${path}/log/stream`, { ...asked, tail, cursor }),
    async read(signal, last = tail) {
      const { data } = await client.GET(
        '/api/v1/projects/{project}/environments/{environment}/services/{service}/log',
        { params: { path: address, query: { ...asked, tail: last, previous } }, signal },
      );
      return data ? framesOf(data) : [];
    },
    downloadUrl: withQuery(`${path}/log`, { ...asked, previous, download: true }),
    fileName: `${service}${cluster ? `-${cluster}` : ''}.log`,
  };
}

/** A piece that was read once, as a live log would have told it. */
export function framesOf({ lines, cursor, shortened, left_out, gaps }: ServiceLog): Frame[] {
  return [
    { type: 'lines', lines, cursor },
    ...(shortened ? [{ type: 'shortened' } as const] : []),
    { type: 'left_out', pods: left_out },
    ...gaps.map(({ cluster, reason }) => ({
      type: 'source' as const,
      cluster,
      pod: '',
      container: '',
      state: 'away' as const,
      reason,
    })),
  ];
}

type Query = Record<string, string | number | boolean | undefined>;

function pathOf(...parts: string[]): string {
  return `/api/v1/${parts.map(encodeURIComponent).join('/')}`;
}

/** What is not given is left out. */
export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return `${path}?${parameters}`;
}

function socketUrl(path: string, query: Query): string {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}${withQuery(path, query)}`;
}
