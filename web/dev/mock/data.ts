import { randomUUID } from 'node:crypto';
import type {
  Assignment,
  AuditRecord,
  Cluster,
  Environment,
  Operation,
  Pod,
  Price,
  Prices,
  Problem,
  Project,
  Revision,
  Service,
  ServiceSpec,
} from '../../src/api/types';
import { cluster } from './cluster';
import { ago, now } from './time';

export { ago, now };

const price = (valid_from: string, valid_to: string | null, cpu: number, version: number): Price => ({
  valid_from,
  valid_to,
  currency: 'CNY',
  cpu_core_hour: cpu,
  memory_gib_hour: 0.02,
  gpu_hour: 9,
  storage_gib_hour: 0.0005,
  version,
  set_at: valid_from,
  set_by: 'admin',
});

/** What a made-up platform holds; enough to see every page in every state. */
export interface World {
  clusters: Cluster[];
  projects: Project[];
  environments: Environment[];
  services: Service[];
  revisions: Map<string, Revision[]>;
  operations: Operation[];
  audit: AuditRecord[];
  prices: Prices;
  price_history: Price[];
  tokens: {
    id: string;
    name: string;
    user: string;
    created_at: string;
    expires_at: string | null;
    last_used_at: null;
  }[];
}

export function specOf(image: string): ServiceSpec {
  return {
    image,
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'UPSTREAM', value: 'http://orders:8080' },
    ],
    config_files: [
      { path: '/etc/app/config.yaml', content: 'workers: 4\ncache:\n  size: 256\n  ttl: 30s\n' },
    ],
    secrets: [{ name: 'DATABASE_PASSWORD', value: null, fingerprint: '9f2c41aa' }],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    resources: { cpu_request: '1', cpu_limit: '1', memory_request: '1Gi', memory_limit: '1Gi' },
    probes: {
      readiness: {
        check: { type: 'http', path: '/healthz', port: 8080 },
        initial_delay_seconds: 0,
        period_seconds: 10,
        timeout_seconds: 1,
        failure_threshold: 3,
      },
    },
    stop: { grace_period_seconds: 30 },
    rollout: { max_surge: '25%', max_unavailable: '0', progress_deadline_seconds: 600, min_ready_seconds: 0 },
  };
}

export const serviceKey = (service: Pick<Service, 'project' | 'environment' | 'name'>): string =>
  `${service.project}/${service.environment}/${service.name}`;

export function addService(
  world: World,
  project: string,
  environment: string,
  name: string,
  image: string,
  replicas: number,
  spec: ServiceSpec = specOf(image),
): Service {
  const service: Service = {
    id: randomUUID(),
    project,
    environment,
    name,
    kind: 'Deployment',
    description: '',
    replicas,
    placement: { strategy: { type: 'free_capacity' }, min_per_cluster: 0 },
    revision: 1,
    latest_revision: 1,
    image,
    status: {
      state: 'progressing',
      message: '',
      ready: 0,
      updated: 0,
      wanted: replicas,
      unknown: 0,
      since: now(),
      observed_at: now(),
    },
    operation: null,
    deleting: false,
    version: 1,
    created_at: now(),
    updated_at: now(),
    updated_by: 'admin',
  };
  world.services.push(service);
  world.revisions.set(serviceKey(service), [
    { number: 1, spec, comment: '', created_at: now(), created_by: 'admin', current: true },
  ]);
  return service;
}

export function makeWorld(): World {
  const world: World = {
    clusters: [
      cluster('east', 'cn-east'),
      cluster('west', 'cn-west', { labels: {} }),
      cluster('edge', 'cn-south', {
        state: 'unreachable',
        state_reason: 'no answer from https://10.3.0.1:6443: connection refused',
        state_since: ago(1_260),
        services: 1,
        assigned_replicas: 2,
      }),
    ],
    projects: [],
    environments: [],
    services: [],
    revisions: new Map(),
    operations: [],
    audit: [],
    prices: {
      currency: 'CNY',
      cpu_core_hour: 0.25,
      memory_gib_hour: 0.02,
      gpu_hour: 9,
      storage_gib_hour: 0.0005,
      valid_from: '2026-11-01T00:00:00Z',
      upcoming: [],
      version: 2,
    },
    price_history: [
      price('2026-11-01T00:00:00Z', null, 0.25, 2),
      price('2026-01-01T00:00:00Z', '2026-11-01T00:00:00Z', 0.2, 1),
    ],
    tokens: [],
  };
  const edge = world.clusters[2];
  if (edge?.observed) Object.assign(edge.observed, { stale: true, observed_at: ago(1_260) });
  for (const [name, display] of [
    ['shop', 'Web shop'],
    ['billing', 'Billing'],
  ] as const) {
    world.projects.push({
      id: randomUUID(),
      name,
      display_name: display,
      description: `Everything behind ${display.toLowerCase()}.`,
      environments: ['production', 'test'],
      services: 0,
      quota: name === 'shop' ? { cpu_millicores: 16_000, memory_bytes: 16 * 2 ** 30, pods: null } : {},
      requested: { cpu_millicores: 11_000, memory_bytes: 11 * 2 ** 30, pods: 11, gpus: 0, storage_bytes: 0 },
      version: 1,
      created_at: ago(86_400 * 20),
      updated_at: ago(86_400 * 2),
    });
    for (const environment of ['production', 'test']) {
      world.environments.push({
        id: randomUUID(),
        project: name,
        name: environment,
        namespace: `${name}-${environment}`,
        clusters: environment === 'test' ? ['east', 'west'] : [],
        failover: 'confirm',
        failback: { mode: 'confirm', after_minutes: 30, percent: 25 },
        services: 0,
        version: 1,
        created_at: ago(86_400 * 20),
        updated_at: ago(86_400 * 2),
      });
    }
  }
  addService(world, 'shop', 'production', 'web', 'registry.example.com/shop/web:2.4.1', 4);
  addService(world, 'shop', 'production', 'orders', 'registry.example.com/shop/orders:1.9-crash', 3);
  addService(world, 'shop', 'production', 'search', 'missing.example/search:5', 2);
  addService(world, 'shop', 'test', 'web', 'registry.example.com/shop/web:2.5.0-rc1', 2);
  addService(world, 'billing', 'production', 'ledger', 'registry.example.com/billing/ledger:0.8', 2);
  addService(world, 'billing', 'production', 'reports', 'registry.example.com/billing/reports:3.1', 0);
  return world;
}

/** What its image's name makes of a service. */
export function fate(image: string): 'crash' | 'missing' | 'good' {
  if (image.includes('crash')) return 'crash';
  return image.includes('missing') ? 'missing' : 'good';
}

export function problemsOf(service: Service, pods: number): Problem[] {
  if (pods === 0) return [];
  const example_pod = podsOf(service, 'east', pods)[0]?.name ?? '';
  switch (fate(service.image)) {
    case 'crash':
      return [
        {
          reason: 'CrashLoopBackOff',
          message: 'back-off 40s restarting failed container=app; last exit code 1',
          advice:
            'Read the log of the previous run: the container exits with code 1 about a second after its start.',
          pods,
          example_pod,
        },
      ];
    case 'missing':
      return [
        {
          reason: 'ImagePullBackOff',
          message: `Back-off pulling image "${service.image}": not found`,
          advice: 'Check that the image and its tag exist; then upgrade to a right one, or roll back.',
          pods,
          example_pod,
        },
      ];
    default:
      return [];
  }
}

export function podsOf(service: Service, clusterName: string, count: number): Pod[] {
  const end = fate(service.image);
  return Array.from({ length: count }, (_, index) => ({
    cluster: clusterName,
    namespace: `${service.project}-${service.environment}`,
    name: `${service.name}-${(service.revision * 7_919 + service.id.charCodeAt(2)).toString(36)}-${clusterName.slice(0, 2)}${index}x`,
    project: service.project,
    environment: service.environment,
    service: service.name,
    revision: service.revision,
    phase: end === 'missing' ? 'pending' : 'running',
    status: end === 'good' ? 'Running' : end === 'crash' ? 'CrashLoopBackOff' : 'ImagePullBackOff',
    ready: end === 'good',
    containers_ready: end === 'good' ? 1 : 0,
    containers: 1,
    restarts: end === 'crash' ? 6 + index : 0,
    node: `${clusterName}-node-${(index % 3) + 1}`,
    ip: `10.${clusterName === 'east' ? 1 : 2}.0.${20 + index}`,
    image: service.image,
    created_at: ago(3_600 + index * 61),
    observed_at: now(),
    stale: false,
  }));
}

export function assignmentsOf(world: World, service: Service): Assignment[] {
  const clusters = world.clusters.filter(({ state }) => state === 'ready').slice(0, 2);
  return clusters.map(({ name, region }, index) => {
    const share = Math.floor(service.replicas / clusters.length);
    const replicas = index === 0 ? service.replicas - share * (clusters.length - 1) : share;
    const good = fate(service.image) === 'good';
    const done = service.status.state === 'running';
    return {
      cluster: name,
      region,
      cluster_ready: true,
      replicas,
      reason: {
        strategy: service.placement.strategy?.type ?? 'free_capacity',
        weight: 12 - index * 3,
        capacity: 12 - index * 3,
        previous: 0,
        bounds: [],
        message: `${name} has room for ${12 - index * 3} of ${21} more replicas`,
      },
      decided_at: service.updated_at,
      sync: done ? 'synced' : good ? 'progressing' : 'failed',
      message: '',
      observed: {
        observed_at: now(),
        stale: false,
        revision: service.revision,
        desired_hash: 'a1',
        replicas,
        updated: good && done ? replicas : 0,
        ready: good && done ? replicas : 0,
        available: good && done ? replicas : 0,
        rollout: done ? 'complete' : 'progressing',
        problems: problemsOf(service, replicas),
        drift: [],
      },
    };
  });
}
