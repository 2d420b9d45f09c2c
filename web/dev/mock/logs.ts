import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { LogLine, ServiceLog } from '../../src/api/schema';
import { ago, assignmentsOf, now, podsOf } from './data';
import type { Engine } from './engine';

const SERVICE_LOG = /\/projects\/([^/]+)\/environments\/([^/]+)\/services\/([^/]+)\/log(\/stream)?$/;
const WRITTEN = 120;
const PERIOD_MS = 700;

function text(count: number): string {
  const level = count % 7 === 0 ? 'WARN' : 'INFO';
  const trace = randomUUID().slice(0, 8);
  return `${level} request ${count} GET /items/${(count * 37) % 90} 200 ${(count * 13) % 40}ms trace=${trace}`;
}

/** A service's pods write by turns. */
function writersOf(engine: Engine, path: string, cluster: string | null) {
  const [, project, environment, name] = SERVICE_LOG.exec(path) ?? [];
  const service = engine.world.services.find(
    (each) => each.project === project && each.environment === environment && each.name === name,
  );
  if (!service) return [];
  return assignmentsOf(engine.world, service)
    .flatMap((assignment) => podsOf(service, assignment.cluster, assignment.replicas))
    .filter((pod) => !cluster || pod.cluster === cluster);
}

function lineOf(writers: ReturnType<typeof writersOf>, count: number, at: string): LogLine[] {
  const pod = writers[count % writers.length];
  return pod ? [{ cluster: pod.cluster, pod: pod.name, container: 'app', at, text: text(count) }] : [];
}

/** What was written so far of a log, or nothing when the path is that of none. */
export function readLog(engine: Engine, url: URL): string | ServiceLog | undefined {
  if (!url.pathname.endsWith('/log')) return undefined;
  const counts = Array.from({ length: WRITTEN }, (_, index) => index + 1);
  if (!SERVICE_LOG.test(url.pathname)) return counts.map((count) => `${now()} ${text(count)}`).join('\n');
  const writers = writersOf(engine, url.pathname, url.searchParams.get('cluster'));
  const lines = counts.flatMap((count) => lineOf(writers, count, ago(WRITTEN - count)));
  if (url.searchParams.has('download')) {
    return lines.map(({ at, cluster, pod, text }) => `${at} ${cluster}/${pod}/app ${text}`).join('\n');
  }
  return { lines, cursor: String(WRITTEN), shortened: false, left_out: [], gaps: [] };
}

/** A log that never ends; the cursor is the number of the last line. */
export function followLog(engine: Engine, url: URL, connection: WebSocket): void {
  const isService = SERVICE_LOG.test(url.pathname);
  let count = Number(url.searchParams.get('cursor') ?? 0);
  const send = (times: string[]) => {
    const writers = isService ? writersOf(engine, url.pathname, url.searchParams.get('cluster')) : [];
    const lines = times.flatMap<LogLine | string>((at) => {
      count += 1;
      return isService ? lineOf(writers, count, at) : [`${at} ${text(count)}`];
    });
    connection.send(JSON.stringify({ type: 'lines', lines, cursor: String(count) }));
  };
  if (count === 0) send(Array.from({ length: WRITTEN }, (_, index) => ago(WRITTEN - index)));
  const timer = setInterval(() => send([now()]), PERIOD_MS);
  connection.on('close', () => clearInterval(timer));
}
