import { randomUUID } from 'node:crypto';
import type { Change, Operation, OperationKind, Service } from '../../src/api/types';
import { ago, assignmentsOf, fate, makeWorld, now, serviceKey, type World } from './data';

/** The made-up platform at work: what is asked for happens over a few seconds, and is told. */
export class Engine {
  readonly world: World = makeWorld();
  private readonly followers = new Set<(change: Change) => void>();
  private sequence = 0;

  constructor() {
    for (const service of this.world.services) this.settle(service, ago(4_000));
    const [web] = this.world.services;
    if (web) {
      const list = this.world.revisions.get(serviceKey(web)) ?? [];
      const [first] = list;
      if (first) {
        first.current = false;
        first.created_at = ago(86_400);
        list.push({
          ...first,
          number: 2,
          current: true,
          comment: 'faster start',
          spec: {
            ...first.spec,
            image: 'registry.example.com/shop/web:2.4.1',
            env: [{ name: 'LOG_LEVEL', value: 'debug' }],
          },
          created_at: ago(7_000),
        });
        first.spec = { ...first.spec, image: 'registry.example.com/shop/web:2.4.0' };
        Object.assign(web, { revision: 2, latest_revision: 2 });
      }
      this.operation('release_service', web, 'succeeded');
    }
  }

  follow(follower: (change: Change) => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  tell(change: Omit<Change, 'cursor' | 'at'>): void {
    const whole: Change = { cursor: `1:${++this.sequence}`, at: now(), ...change };
    for (const follower of this.followers) follower(whole);
  }

  tellService(service: Service): void {
    const { project, environment, name } = service;
    for (const topic of ['services', 'workloads', 'pods', 'operations'] as const) {
      this.tell({ topic, project, environment, service: name });
    }
  }

  operation(kind: OperationKind, service: Service, state: Operation['state'] = 'running'): Operation {
    const operation: Operation = {
      id: randomUUID(),
      kind,
      state,
      title: `${kind} ${serviceKey(service)}`,
      message: '',
      project: service.project,
      environment: service.environment,
      service: service.name,
      cluster: null,
      revision: service.revision,
      progress: state === 'succeeded' ? 100 : 5,
      steps: assignmentsOf(this.world, service).map(({ cluster, replicas }) => ({
        name: cluster,
        state: state === 'succeeded' ? 'succeeded' : 'running',
        message: '',
        done: state === 'succeeded' ? replicas : 0,
        total: replicas,
        updated_at: now(),
      })),
      requested_by: 'admin',
      created_at: now(),
      updated_at: now(),
      finished_at: state === 'running' ? null : now(),
    };
    this.world.operations.unshift(operation);
    return operation;
  }

  /** Brings a service where it should be, step by step. */
  start(kind: OperationKind, service: Service): Operation {
    for (const other of this.world.operations) {
      if (other.id === service.operation && other.state === 'running') {
        Object.assign(other, { state: 'superseded', finished_at: now() });
      }
    }
    service.version += 1;
    service.updated_at = now();
    service.updated_by = 'admin';
    service.status = {
      ...service.status,
      state: 'progressing',
      wanted: service.replicas,
      since: now(),
      message: '',
    };
    const operation = this.operation(kind, service);
    service.operation = operation.id;
    this.tellService(service);
    const bad = fate(service.image) !== 'good';
    let tick = 0;
    const timer = setInterval(() => {
      tick += 1;
      if (operation.state !== 'running') return clearInterval(timer);
      if (kind === 'delete_service' && tick >= 3) {
        this.world.services = this.world.services.filter((each) => each !== service);
        Object.assign(operation, { state: 'succeeded', progress: 100, finished_at: now() });
        clearInterval(timer);
      } else {
        for (const step of operation.steps) {
          if (bad) step.message = 'waiting for the image';
          else step.done = Math.min(step.total, step.done + 1);
          if (!bad && step.done === step.total) step.state = 'succeeded';
        }
        const done = operation.steps.reduce((sum, step) => sum + step.done, 0);
        const total = operation.steps.reduce((sum, step) => sum + step.total, 0);
        operation.progress = bad ? 20 : total === 0 ? 100 : Math.round((100 * done) / total);
        service.status = { ...service.status, ready: done, updated: done };
        if (operation.progress === 100 || (bad && tick > 4)) {
          Object.assign(operation, { state: bad ? 'failed' : 'succeeded', finished_at: now() });
          if (bad) for (const step of operation.steps) step.state = 'failed';
          service.operation = null;
          this.settle(service, now());
          clearInterval(timer);
        }
      }
      this.tellService(service);
    }, 900);
    return operation;
  }

  private settle(service: Service, since: string): void {
    const good = fate(service.image) === 'good';
    const state = service.replicas === 0 ? 'stopped' : good ? 'running' : 'failed';
    const ready = good ? service.replicas : 0;
    service.status = {
      state,
      message: good ? '' : 'No replica becomes ready. Look at the problems below, then upgrade or roll back.',
      ready,
      updated: ready,
      wanted: service.replicas,
      unknown: 0,
      since,
      observed_at: now(),
    };
  }
}
