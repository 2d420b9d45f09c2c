import type { NewService, Service, ServiceSpec } from '../../src/api/types';
import { findChanges } from '../../src/features/services/form/changes';
import { addService, assignmentsOf, now, serviceKey } from './data';
import type { Engine } from './engine';
import { guard, page, Refusal, type Route, SERVICE, serviceOf } from './request';

export const SERVICE_ROUTES: Route[] = [
  [
    'GET',
    '/overview',
    (_, { world }) => {
      const services = { running: 0, progressing: 0, degraded: 0, failed: 0, stopped: 0, unknown: 0 };
      for (const { status } of world.services) services[status.state] += 1;
      const sum = (field: 'wanted' | 'ready' | 'unknown') =>
        world.services.reduce((total, { status }) => total + status[field], 0);
      return {
        services,
        replicas_wanted: sum('wanted'),
        replicas_ready: sum('ready'),
        replicas_unknown: sum('unknown'),
        clusters: world.clusters,
        attention: world.services.filter(({ status }) =>
          ['failed', 'degraded', 'unknown'].includes(status.state),
        ),
        recent_operations: world.operations.slice(0, 10),
      };
    },
  ],
  [
    'GET',
    '/services',
    ({ query }, { world }) => {
      const states = query.get('state')?.split(',');
      const sort = query.get('sort') ?? 'name';
      const items = world.services
        .filter(({ project }) => !query.get('project') || project === query.get('project'))
        .filter(({ environment }) => !query.get('environment') || environment === query.get('environment'))
        .filter(({ status }) => !states || states.includes(status.state))
        .filter(({ name, image }) => `${name} ${image}`.includes(query.get('q') ?? ''))
        .sort((left, right) => left.name.localeCompare(right.name));
      return page(sort.startsWith('-') ? items.reverse() : items, query);
    },
  ],
  [
    'POST',
    '/projects/{project}/environments/{environment}/services',
    ({ parameters, body }, engine) => {
      const fresh = body as NewService;
      const { project = '', environment = '' } = parameters;
      if (fresh.name === 'taken') {
        throw new Refusal(422, 'invalid_spec', 'some fields cannot be taken', {
          fields: [{ field: 'name', message: 'there is a service of this name already' }],
        });
      }
      const service = addService(
        engine.world,
        project,
        environment,
        fresh.name,
        fresh.spec.image,
        fresh.replicas ?? 1,
        fresh.spec,
      );
      service.placement = fresh.placement ?? service.placement;
      const operation = engine.start('create_service', service);
      return { service, operation: operation.id };
    },
  ],
  [
    'POST',
    '/projects/{project}/environments/{environment}/services/preview',
    ({ body }, { world }) => {
      const { replicas = 1 } = body as { replicas?: number };
      const clusters = world.clusters.filter(({ state }) => state === 'ready');
      const fits = Math.min(replicas, clusters.length * 12);
      return {
        assignments: clusters.map(({ name }, index) => ({
          cluster: name,
          replicas: Math.floor(fits / clusters.length) + (index < fits % clusters.length ? 1 : 0),
          reason: {
            strategy: 'free_capacity',
            weight: 12,
            capacity: 12,
            previous: 0,
            bounds: [],
            message: `${name} has room for 12`,
          },
        })),
        unplaced: replicas - fits,
        message: '',
      };
    },
  ],
  ['GET', SERVICE, serviceOf],
  [
    'PATCH',
    SERVICE,
    (request, engine) => {
      const service = serviceOf(request, engine);
      guard(service, request.ifMatch);
      Object.assign(service, request.body);
      return { service, operation: engine.start('scale_service', service).id };
    },
  ],
  [
    'DELETE',
    SERVICE,
    (request, engine) => {
      const service = serviceOf(request, engine);
      guard(service, request.ifMatch);
      service.deleting = true;
      return { service, operation: engine.start('delete_service', service).id };
    },
  ],
  [
    'GET',
    `${SERVICE}/assignments`,
    (request, engine) => page(assignmentsOf(engine.world, serviceOf(request, engine)), request.query),
  ],
  [
    'GET',
    `${SERVICE}/revisions`,
    (request, engine) => {
      const list = engine.world.revisions.get(serviceKey(serviceOf(request, engine))) ?? [];
      return page(
        [...list].reverse().map(({ spec, ...revision }) => ({
          ...revision,
          image: spec.image,
          changed: [
            ...new Set(
              findChanges(list[revision.number - 2]?.spec, spec).map(({ path }) => path.split(/[.[]/, 1)[0]),
            ),
          ],
        })),
        request.query,
      );
    },
  ],
  [
    'POST',
    `${SERVICE}/revisions`,
    (request, engine) => {
      const service = serviceOf(request, engine);
      guard(service, request.ifMatch);
      const {
        spec,
        comment,
        release = true,
      } = request.body as { spec: ServiceSpec; comment: string; release?: boolean };
      return addRevision(engine, service, spec, comment, release);
    },
  ],
  [
    'GET',
    `${SERVICE}/revisions/{revision}`,
    (request, engine) => {
      const list = engine.world.revisions.get(serviceKey(serviceOf(request, engine))) ?? [];
      return list[Number(request.parameters.revision) - 1];
    },
  ],
  [
    'GET',
    `${SERVICE}/revisions/{revision}/diff`,
    (request, engine) => {
      const list = engine.world.revisions.get(serviceKey(serviceOf(request, engine))) ?? [];
      const to = Number(request.parameters.revision);
      const from = Number(request.query.get('against'));
      const changes = findChanges(list[from - 1]?.spec, list[to - 1]?.spec);
      const lines = changes.flatMap(({ path, before, after }) => [
        `-${path}: ${JSON.stringify(before)}`,
        `+${path}: ${JSON.stringify(after)}`,
      ]);
      return {
        from,
        to,
        changes,
        unified: `--- revision ${from}\n+++ revision ${to}\n@@ -1,3 +1,3 @@\n${lines.join('\n')}\n`,
      };
    },
  ],
  [
    'POST',
    `${SERVICE}/releases`,
    (request, engine) => {
      const service = serviceOf(request, engine);
      guard(service, request.ifMatch);
      const {
        revision,
        image,
        comment = '',
      } = request.body as { revision?: number; image?: string; comment?: string };
      const list = engine.world.revisions.get(serviceKey(service)) ?? [];
      const current = list[service.revision - 1];
      if (image && current) return addRevision(engine, service, { ...current.spec, image }, comment, true);
      service.revision = revision ?? service.revision;
      service.image = list[service.revision - 1]?.spec.image ?? service.image;
      for (const each of list) each.current = each.number === service.revision;
      return { service, operation: engine.start('release_service', service).id };
    },
  ],
  [
    'POST',
    `${SERVICE}/restart`,
    (request, engine) => {
      const service = serviceOf(request, engine);
      return { service, operation: engine.start('restart_service', service).id };
    },
  ],
];

function addRevision(engine: Engine, service: Service, spec: ServiceSpec, comment: string, release: boolean) {
  const list = engine.world.revisions.get(serviceKey(service)) ?? [];
  const number = list.length + 1;
  for (const each of list) each.current = each.current && !release;
  list.push({ number, spec, comment, created_at: now(), created_by: 'admin', current: release });
  service.latest_revision = number;
  if (!release) {
    service.version += 1;
    return { service, operation: null };
  }
  service.revision = number;
  service.image = spec.image;
  return { service, operation: engine.start('release_service', service).id };
}
