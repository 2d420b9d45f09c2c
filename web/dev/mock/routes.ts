import { randomUUID } from 'node:crypto';
import { ago, now } from './data';
import { POD_ROUTES } from './podRoutes';
import { page, Refusal, type Route } from './request';
import { SERVICE_ROUTES } from './serviceRoutes';
import { USAGE_ROUTES } from './usageRoutes';

function nodes(cluster: string) {
  return [1, 2, 3].map((number) => ({
    name: `${cluster}-node-${number}`,
    ready: true,
    message: '',
    unschedulable: false,
    kubelet_version: 'v1.33.1',
    internal_ip: `10.9.0.${number}`,
    roles: number === 1 ? ['control-plane'] : [],
    allocatable: { cpu_millicores: 8_000, memory_bytes: 32 * 2 ** 30, pods: 110 },
    requested: { cpu_millicores: 1_900 * number, memory_bytes: number * 7 * 2 ** 30, pods: 9 + number },
    used: null,
    created_at: ago(86_400 * 30),
    observed_at: now(),
    stale: false,
  }));
}

export const ROUTES: Route[] = [
  ...SERVICE_ROUTES,
  ...POD_ROUTES,
  ...USAGE_ROUTES,
  [
    'GET',
    '/operations',
    ({ query }, { world }) => {
      const states = query.get('state')?.split(',');
      return page(
        world.operations
          .filter(({ state }) => !states || states.includes(state))
          .filter(({ service }) => !query.get('service') || service === query.get('service')),
        query,
      );
    },
  ],
  [
    'GET',
    '/operations/{operation}',
    ({ parameters }, { world }) => world.operations.find(({ id }) => id === parameters.operation),
  ],
  ['GET', '/clusters', ({ query }, { world }) => page(world.clusters, query)],
  [
    'POST',
    '/clusters/check',
    ({ body }) => {
      const { kubeconfig } = body as { kubeconfig: string };
      if (!kubeconfig.includes('clusters')) {
        throw new Refusal(
          422,
          'kubeconfig_invalid',
          'the text is no kubeconfig: it has no field `clusters`. Paste the whole file.',
        );
      }
      return {
        server: 'https://10.4.0.1:6443',
        kubernetes_version: 'v1.33.1',
        cluster_uid: randomUUID(),
        nodes: 3,
        rights: [
          'list pods',
          'watch pods',
          'patch deployments.apps',
          'patch services',
          'create namespaces',
          'get pods/log',
        ].map((action, index) => ({ action, allowed: !(kubeconfig.includes('limited') && index === 2) })),
      };
    },
  ],
  [
    'POST',
    '/clusters',
    ({ body }, engine) => {
      const template = engine.world.clusters[0];
      const { name, region } = body as { name: string; region: string };
      if (!template) throw new Refusal(500, 'internal', 'no template');
      const cluster = {
        ...template,
        name,
        region,
        id: randomUUID(),
        services: 0,
        assigned_replicas: 0,
        labels: {},
      };
      engine.world.clusters.push(cluster);
      engine.tell({ topic: 'clusters', cluster: cluster.name });
      return cluster;
    },
  ],
  [
    'GET',
    '/clusters/{cluster}',
    ({ parameters }, { world }) => world.clusters.find(({ name }) => name === parameters.cluster),
  ],
  [
    'PATCH',
    '/clusters/{cluster}',
    ({ parameters, body }, { world }) => {
      const cluster = world.clusters.find(({ name }) => name === parameters.cluster);
      return cluster && Object.assign(cluster, body, { version: cluster.version + 1 });
    },
  ],
  [
    'GET',
    '/clusters/{cluster}/history',
    ({ parameters, query }, { world }) => {
      const cluster = world.clusters.find(({ name }) => name === parameters.cluster);
      if (!cluster) return undefined;
      const { state, state_reason: reason, state_since: at } = cluster;
      return page([{ state, reason, at }], query);
    },
  ],
  [
    'GET',
    '/clusters/{cluster}/nodes',
    ({ parameters, query }) => page(nodes(parameters.cluster ?? ''), query),
  ],
  ['GET', '/projects', ({ query }, { world }) => page(world.projects, query)],
  [
    'POST',
    '/projects',
    ({ body }, { world }) => {
      const project = {
        id: randomUUID(),
        display_name: '',
        description: '',
        environments: [],
        services: 0,
        quota: {},
        requested: { cpu_millicores: 0, memory_bytes: 0, pods: 0, gpus: 0, storage_bytes: 0 },
        version: 1,
        created_at: now(),
        updated_at: now(),
        ...(body as { name: string }),
      };
      world.projects.push(project);
      return project;
    },
  ],
  [
    'GET',
    '/projects/{project}',
    ({ parameters }, { world }) => world.projects.find(({ name }) => name === parameters.project),
  ],
  [
    'GET',
    '/projects/{project}/environments',
    ({ parameters, query }, { world }) =>
      page(
        world.environments.filter(({ project }) => project === parameters.project),
        query,
      ),
  ],
  [
    'POST',
    '/projects/{project}/environments',
    ({ parameters, body }, { world }) => {
      const { name, clusters } = body as { name: string; clusters: string[] };
      const project = parameters.project ?? '';
      const environment = {
        id: randomUUID(),
        project,
        name,
        namespace: `${project}-${name}`,
        clusters,
        failover: 'confirm' as const,
        failback: { mode: 'confirm' as const, after_minutes: 30, percent: 25 },
        services: 0,
        version: 1,
        created_at: now(),
        updated_at: now(),
      };
      world.environments.push(environment);
      world.projects.find((each) => each.name === project)?.environments.push(name);
      return environment;
    },
  ],
  [
    'GET',
    '/projects/{project}/environments/{environment}',
    ({ parameters }, { world }) =>
      world.environments.find(
        ({ project, name }) => project === parameters.project && name === parameters.environment,
      ),
  ],
  ['GET', '/audit', ({ query }, { world }) => page(world.audit, query)],
  [
    'GET',
    '/audit/{record}',
    ({ parameters }, { world }) => {
      const record = world.audit.find(({ id }) => id === parameters.record);
      return record && { record, before: null, after: null };
    },
  ],
  ['GET', '/users', ({ query }) => page([], query)],
  ['GET', '/bindings', ({ query }) => page([], query)],
  ['GET', '/projects/{project}/members', ({ query }) => page([], query)],
  ['GET', '/roles', ({ query }) => page([], query)],
  ['GET', '/sessions', ({ query }) => page([], query)],
  ['GET', '/sign-in-locks', ({ query }) => page([], query)],
  ['GET', '/api-tokens', ({ query }, { world }) => page(world.tokens, query)],
  [
    'POST',
    '/api-tokens',
    ({ body }, { world }) => {
      const token = {
        id: randomUUID(),
        name: (body as { name: string }).name,
        user: 'admin',
        created_at: now(),
        expires_at: null,
        last_used_at: null,
      };
      world.tokens.push(token);
      return { token, secret: `lst_${randomUUID().replaceAll('-', '')}` };
    },
  ],
  [
    'DELETE',
    '/api-tokens/{token}',
    ({ parameters }, { world }) => {
      world.tokens = world.tokens.filter(({ id }) => id !== parameters.token);
    },
  ],
];
