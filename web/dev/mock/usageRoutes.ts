import type { NewPrices, UsageItem } from '../../src/api/types';
import type { World } from './data';
import { now } from './data';
import { guard, page, type Route } from './request';

const HOUR = 3_600_000;
const LENGTHS: Record<string, number> = { hour: HOUR, day: 24 * HOUR, month: 30 * 24 * HOUR };

/** One sum of so many replicas; half a day of the cluster `edge` was lost on every tenth part. */
function item(
  from: number,
  to: number,
  names: Partial<UsageItem>,
  replicas: number,
  part: number,
): UsageItem {
  const hours = (to - from) / HOUR;
  const gap = part % 10 === 4 ? hours / 2 : 0;
  const pods = replicas * (hours - gap);
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    project: null,
    environment: null,
    service: null,
    cluster: null,
    ...names,
    pod_hours: pods,
    cpu_core_hours: pods,
    memory_gib_hours: pods,
    gpu_hours: pods / 2,
    storage_gib_hours: pods * 10,
    cpu_used_core_hours: pods * 0.4,
    memory_used_gib_hours: pods * 0.6,
    measured: 1,
    counted_hours: hours - gap,
    gap_hours: gap,
    counted_until: new Date(Math.min(to, Date.now())).toISOString(),
    cost: pods * 0.27,
  };
}

function usage(world: World, query: URLSearchParams): UsageItem[] {
  const project = query.get('project');
  const services = world.services.filter((service) => !project || service.project === project);
  const to = Date.parse(query.get('to') ?? now());
  const from = Date.parse(query.get('from') ?? new Date(to - 7 * 24 * HOUR).toISOString());
  const length = LENGTHS[query.get('every') ?? 'day'] ?? to - from;
  const items: UsageItem[] = [];
  for (let start = from, part = 0; start < to; start += length, part += 1) {
    const end = Math.min(to, start + length);
    if (query.get('by') === 'service') {
      for (const { project, environment, name, replicas } of services) {
        items.push(item(start, end, { project, environment, service: name }, replicas, part));
      }
    } else if (services.length > 0) {
      const replicas = services.reduce((sum, service) => sum + service.replicas, 0);
      items.push(item(start, end, { project }, replicas, part));
    }
  }
  return items;
}

export const USAGE_ROUTES: Route[] = [
  ['GET', '/usage', ({ query }, { world }) => page(usage(world, query), query)],
  ['GET', '/prices', (_, { world }) => world.prices],
  ['GET', '/prices/history', ({ query }, { world }) => page(world.price_history, query)],
  [
    'PUT',
    '/prices',
    ({ body, ifMatch }, { world }) => {
      guard(world.prices, ifMatch);
      const version = world.prices.version + 1;
      const hour = new Date(Math.floor(Date.now() / HOUR) * HOUR).toISOString();
      const given = body as NewPrices;
      const price = { ...given, valid_from: given.valid_from ?? hour, valid_to: null };
      const [last] = world.price_history;
      if (last) last.valid_to = price.valid_from;
      world.price_history.unshift({ ...price, version, set_at: now(), set_by: 'admin' });
      world.prices = { ...price, upcoming: [], version, updated_at: now(), updated_by: 'admin' };
      return world.prices;
    },
  ],
  [
    'PUT',
    '/projects/{project}/quota',
    ({ parameters, body, ifMatch }, { world }) => {
      const project = world.projects.find(({ name }) => name === parameters.project);
      if (!project) return undefined;
      guard(project, ifMatch);
      return Object.assign(project, { quota: body, version: project.version + 1 });
    },
  ],
];
