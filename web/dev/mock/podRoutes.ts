import type { Service } from '../../src/api/types';
import { ago, assignmentsOf, fate, podsOf } from './data';
import type { Engine } from './engine';
import { page, POD, Refusal, type Route, SERVICE, serviceOf } from './request';

function allPods(engine: Engine) {
  return engine.world.services.flatMap((service) =>
    assignmentsOf(engine.world, service).flatMap(({ cluster, replicas }) =>
      podsOf(service, cluster, replicas),
    ),
  );
}

function events(service: Service) {
  const bad = fate(service.image) !== 'good';
  return ['east', 'west'].map((cluster, index) => ({
    cluster,
    namespace: `${service.project}-${service.environment}`,
    kind: bad ? 'Warning' : 'Normal',
    reason: bad ? 'BackOff' : 'Started',
    message: bad ? `Back-off pulling image "${service.image}"` : 'Started container app',
    object: `Pod/${podsOf(service, cluster, 1)[0]?.name ?? ''}`,
    source: 'kubelet',
    count: bad ? 14 : 1,
    first_seen: ago(900),
    last_seen: ago(30 + index * 10),
  }));
}

export const POD_ROUTES: Route[] = [
  [
    'GET',
    `${SERVICE}/pods`,
    (request, engine) => {
      const service = serviceOf(request, engine);
      return page(
        allPods(engine).filter(
          (pod) =>
            pod.service === service.name &&
            pod.project === service.project &&
            pod.environment === service.environment,
        ),
        request.query,
      );
    },
  ],
  ['GET', `${SERVICE}/events`, (request, engine) => page(events(serviceOf(request, engine)), request.query)],
  [
    'GET',
    '/pods',
    ({ query }, engine) =>
      page(
        allPods(engine).filter(
          (pod) =>
            (!query.get('cluster') || pod.cluster === query.get('cluster')) &&
            (!query.get('project') || pod.project === query.get('project')) &&
            (!query.get('status') || query.get('status')?.split(',').includes(pod.status)) &&
            pod.name.includes(query.get('q') ?? ''),
        ),
        query,
      ),
  ],
  [
    'GET',
    POD,
    ({ parameters }, engine) => {
      const pod = allPods(engine).find(
        ({ name, cluster }) => name === parameters.pod && cluster === parameters.cluster,
      );
      if (!pod) throw new Refusal(404, 'not_found', 'there is no such pod');
      const bad = pod.status !== 'Running';
      return {
        pod,
        containers: [
          {
            name: 'app',
            image: pod.image,
            ready: pod.ready,
            restarts: pod.restarts,
            state: bad ? 'waiting' : 'running',
            reason: bad ? pod.status : null,
            message: bad ? 'back-off 40s restarting failed container' : null,
            exit_code: null,
            started_at: bad ? null : pod.created_at,
            last_termination: pod.restarts
              ? { reason: 'Error', exit_code: 1, message: null, finished_at: ago(25) }
              : null,
          },
        ],
        conditions: ['PodScheduled', 'Initialized', 'Ready', 'ContainersReady'].map((kind) => ({
          kind,
          status: bad && kind.includes('Ready') ? 'False' : 'True',
          reason: bad && kind.includes('Ready') ? 'ContainersNotReady' : null,
          message: null,
        })),
        problems: bad
          ? [
              {
                reason: pod.status,
                message: 'back-off 40s restarting failed container',
                advice: 'Read the log of the previous run.',
                pods: 1,
                example_pod: pod.name,
              },
            ]
          : [],
      };
    },
  ],
  ['DELETE', POD, () => undefined],
  [
    'GET',
    `${POD}/events`,
    ({ query }, { world }) => page(world.services[0] ? events(world.services[0]) : [], query),
  ],
];
