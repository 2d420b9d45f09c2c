import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '@/api/types';
import { findChanges } from './changes';
import {
  linesToList,
  listToLines,
  serviceToValues,
  valuesToNewService,
  valuesToPlacement,
  valuesToSpec,
  wantedReplicas,
} from './convert';
import { defaultValues, type ServiceValues } from './values';

const spec: ServiceSpec = {
  image: 'registry.example.com/shop/web:2',
  command: ['/bin/web'],
  args: ['--listen', ':8080', ''],
  env: [{ name: 'LOG_LEVEL', value: 'info' }],
  config_files: [{ path: '/etc/web.yaml', content: 'a: 1\n' }],
  secrets: [
    { name: 'PASSWORD', fingerprint: 'ab12' },
    { name: 'key', path: '/run/key', fingerprint: 'cd34' },
  ],
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  volumes: [
    { name: 'data', mount_path: '/data', size: '10Gi', access: 'many_nodes' },
    {
      name: 'cache',
      mount_path: '/cache',
      size: '1Gi',
      access: 'one_node',
      storage_class: 'fast',
      may_start_empty: true,
    },
  ],
  resources: { cpu_request: '500m', cpu_limit: '1', memory_request: '256Mi', memory_limit: '1Gi' },
  probes: {
    readiness: {
      check: { type: 'http', path: '/ready', port: 8080 },
      initial_delay_seconds: 1,
      period_seconds: 2,
      timeout_seconds: 3,
      failure_threshold: 4,
    },
    liveness: {
      check: { type: 'exec', command: ['test', '-f', '/alive'] },
      initial_delay_seconds: 0,
      period_seconds: 10,
      timeout_seconds: 1,
      failure_threshold: 3,
    },
  },
  host_aliases: [{ ip: '10.0.0.1', hostnames: ['db', 'db.internal'] }],
  stop: { grace_period_seconds: 20, pre_stop_command: ['sleep', '1'] },
  rollout: { max_surge: '1', max_unavailable: '0', progress_deadline_seconds: 60, min_ready_seconds: 5 },
  run_as_user: 1000,
  annotations: { 'example.com/team': 'shop' },
};

const service = {
  project: 'shop',
  environment: 'production',
  name: 'web',
  description: 'the shop',
  replicas: 5,
  placement: {
    strategy: { type: 'weights' as const, weights: { east: 2, west: 1 } },
    clusters: ['east', 'west'],
    min_per_cluster: 1,
  },
};

describe('a service in its form', () => {
  it('comes out as it went in', () => {
    const values = serviceToValues(service, spec);
    const kept = {
      ...spec,
      secrets: spec.secrets?.map(({ name, path }) => ({ name, value: null, ...(path ? { path } : {}) })),
    };
    expect(findChanges(kept, valuesToSpec(values))).toEqual([]);
    expect(valuesToPlacement(values)).toEqual(service.placement);
    expect(values).toMatchObject({ name: 'web', description: 'the shop', replicas: 5 });
  });

  it('keeps the rules of its placement, and leaves out what is as usual', () => {
    const placement = {
      ...service.placement,
      max_percent_per_cluster: 60,
      max_percent_per_region: 50,
      tolerations: [{ key: 'dedicated' }, { key: 'gpu', value: 'a100' }],
      avoid: ['db'],
      priority: 'high' as const,
      singleton: true,
    };
    const values = serviceToValues({ ...service, placement }, spec);
    expect(valuesToPlacement(values)).toEqual(placement);
    // Pinned replicas have no shares; the other rules hold for them too.
    expect(valuesToPlacement({ ...values, strategy: 'pinned', pinned: { east: 1 } })).toEqual({
      strategy: { type: 'pinned', replicas: { east: 1 } },
      clusters: [],
      min_per_cluster: 0,
      tolerations: placement.tolerations,
      avoid: ['db'],
      priority: 'high',
      singleton: true,
    });
    expect(valuesToPlacement(defaultValues())).toEqual({
      strategy: { type: 'free_capacity' },
      clusters: [],
      min_per_cluster: 0,
    });
  });

  it('keeps what it has no field for', () => {
    const newer = { ...spec, sidecars: [{ name: 'proxy' }] } as ServiceSpec;
    expect(valuesToSpec(serviceToValues(service, newer))).toMatchObject({ sidecars: [{ name: 'proxy' }] });
  });

  it('keeps a secret that is not typed anew, and sends one that is', () => {
    const values = serviceToValues(service, spec);
    const [first, second] = values.secrets;
    if (!first || !second) throw new Error('two secrets went in');
    first.value = 'new';
    expect(valuesToSpec(values).secrets).toEqual([
      { name: 'PASSWORD', value: 'new' },
      { name: 'key', value: null, path: '/run/key' },
    ]);
  });

  it('begins with one CPU and one GiB', () => {
    expect(valuesToSpec(defaultValues()).resources).toEqual({
      cpu_request: '1',
      cpu_limit: '1',
      memory_request: '1Gi',
      memory_limit: '1Gi',
    });
  });

  it('asks for GPUs only where there are any', () => {
    const equipped = { ...spec, resources: { ...spec.resources, gpus: 2 } };
    const values = serviceToValues(service, equipped);
    expect(valuesToSpec(values).resources).toEqual(equipped.resources);
    values.resources.gpus = 0;
    expect(valuesToSpec(values).resources).toEqual(spec.resources);
  });

  it('leaves out probes that are switched off and a user that is not chosen', () => {
    const fresh = valuesToSpec(defaultValues());
    expect(fresh.probes).toEqual({});
    expect(fresh).not.toHaveProperty('run_as_user');
  });

  it('trims what people paste', () => {
    const values: ServiceValues = { ...defaultValues(), name: ' web ', image: ' nginx:1 ' };
    expect(valuesToNewService(values)).toMatchObject({ name: 'web', spec: { image: 'nginx:1' } });
  });

  it('counts pinned replicas by their sum', () => {
    const values: ServiceValues = {
      ...defaultValues(),
      strategy: 'pinned',
      replicas: 9,
      pinned: { east: 2, west: null, edge: 1 },
    };
    expect(wantedReplicas(values)).toBe(3);
    expect(valuesToNewService(values)).toMatchObject({
      replicas: 3,
      placement: { strategy: { type: 'pinned', replicas: { east: 2, edge: 1 } }, clusters: [] },
    });
  });
});

describe('arguments, one a line', () => {
  it('keep blanks inside and lose lines left open at the end', () => {
    expect(linesToList('sh\n-c\n\necho  hi\n\n')).toEqual(['sh', '-c', '', 'echo  hi']);
    expect(linesToList('a\r\nb')).toEqual(['a', 'b']);
    expect(linesToList('')).toEqual([]);
  });

  it('come back as they were, whatever is in them', () => {
    const list = ['sh', '-c', 'set -e\necho "hi"\n', '', '"quoted', '"a"', ' ', 'a\rb', ''];
    expect(linesToList(listToLines(list))).toEqual(list);
    expect(linesToList('"no end')).toEqual(['"no end']);
  });
});
