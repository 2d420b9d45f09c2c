import type { NewService, Placement, Probe, ProbeCheck, Service, ServiceSpec } from '@/api/types';
import {
  DEFAULT_RESOURCES,
  defaultProbe,
  defaultValues,
  SHARES,
  type ProbeValues,
  type ServiceValues,
} from './values';

/**
 * One argument a line; lines at the end that hold nothing are no arguments. An argument that a line can't hold (a
 * script of several lines, nothing at all) stands there as a JSON string.
 */
export function linesToList(text: string): string[] {
  const lines = text.replaceAll('\r', '').split('\n');
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line) => {
    if (!line.startsWith('"')) return line;
    try {
      return String(JSON.parse(line));
    } catch {
      return line;
    }
  });
}

export function listToLines(list: readonly string[] | undefined): string {
  return (list ?? [])
    .map((argument) =>
      argument.trim() === '' || /[\r\n]|^"/.test(argument) ? JSON.stringify(argument) : argument,
    )
    .join('\n');
}

function probeToWire(values: ProbeValues): Probe | undefined {
  if (!values.enabled) return undefined;
  return {
    check: checkToWire(values),
    initial_delay_seconds: values.initial_delay_seconds,
    period_seconds: values.period_seconds,
    timeout_seconds: values.timeout_seconds,
    failure_threshold: values.failure_threshold,
  };
}

function checkToWire(values: ProbeValues): ProbeCheck {
  switch (values.type) {
    case 'http':
      return { type: 'http', path: values.path, port: values.port ?? 0 };
    case 'tcp':
      return { type: 'tcp', port: values.port ?? 0 };
    case 'exec':
      return { type: 'exec', command: linesToList(values.command) };
  }
}

function probeFromWire(probe: Probe | null | undefined): ProbeValues {
  const values = defaultProbe();
  if (!probe) return values;
  const { check } = probe;
  return {
    ...values,
    enabled: true,
    type: check.type,
    path: check.type === 'http' ? check.path : values.path,
    port: check.type === 'exec' ? null : check.port,
    command: check.type === 'exec' ? listToLines(check.command) : '',
    initial_delay_seconds: probe.initial_delay_seconds ?? values.initial_delay_seconds,
    period_seconds: probe.period_seconds ?? values.period_seconds,
    timeout_seconds: probe.timeout_seconds ?? values.timeout_seconds,
    failure_threshold: probe.failure_threshold ?? values.failure_threshold,
  };
}

/** The spec that the form describes. A secret that was not typed anew is sent without a value: it is kept. */
export function valuesToSpec(values: ServiceValues): ServiceSpec {
  const { gpus, ...resources } = values.resources;
  const spec: ServiceSpec = {
    ...values.other.spec,
    image: values.image.trim(),
    command: linesToList(values.command),
    args: linesToList(values.args),
    env: values.env.map(({ name, value }) => ({ name: name.trim(), value: value ?? '' })),
    config_files: values.config_files.map(({ path, content }) => ({
      path: path.trim(),
      content: content ?? '',
    })),
    secrets: values.secrets.map(({ name, mount, path, value }) => ({
      name: name.trim(),
      value: value === '' ? null : value,
      ...(mount === 'file' ? { path: path.trim() } : {}),
    })),
    ports: values.ports.map(({ name, port, protocol }) => ({ name: name.trim(), port: port ?? 0, protocol })),
    volumes: values.volumes.map(({ name, mount_path, size, storage_class, access, may_start_empty }) => ({
      name: name.trim(),
      mount_path: mount_path.trim(),
      size: size.trim(),
      access,
      ...(storage_class.trim() ? { storage_class: storage_class.trim() } : {}),
      ...(may_start_empty ? { may_start_empty } : {}),
    })),
    resources: gpus ? { ...resources, gpus } : resources,
    probes: {},
    host_aliases: values.host_aliases.map(({ ip, hostnames }) => ({
      ip: ip.trim(),
      hostnames: hostnames.split(/[\s,]+/).filter(Boolean),
    })),
    stop: {
      grace_period_seconds: values.stop.grace_period_seconds,
      pre_stop_command: linesToList(values.stop.pre_stop_command),
    },
    rollout: { ...values.rollout },
    annotations: Object.fromEntries(values.annotations.map(({ name, value }) => [name.trim(), value ?? ''])),
  };
  for (const name of ['startup', 'readiness', 'liveness'] as const) {
    const probe = probeToWire(values.probes[name]);
    if (probe) spec.probes = { ...spec.probes, [name]: probe };
  }
  if (values.run_as_user !== null) spec.run_as_user = values.run_as_user;
  return spec;
}

function counts(map: Record<string, number | null>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** What holds for every strategy; what is as usual is left out. */
function rulesToWire({ tolerations, avoid, priority, singleton }: ServiceValues): Partial<Placement> {
  return {
    ...(tolerations.length > 0
      ? {
          tolerations: tolerations.map(({ key, value }) => ({
            key: key?.trim() ?? '',
            ...(value?.trim() ? { value: value.trim() } : {}),
          })),
        }
      : {}),
    ...(avoid.length > 0 ? { avoid } : {}),
    ...(priority === 'normal' ? {} : { priority }),
    ...(singleton ? { singleton } : {}),
  };
}

export function valuesToPlacement(values: ServiceValues): Placement {
  const rules = rulesToWire(values);
  const common: Partial<Placement> = {
    clusters: values.clusters,
    min_per_cluster: values.min_per_cluster,
    ...rules,
  };
  for (const name of SHARES) {
    const percent = values[name];
    if (percent !== null) common[name] = percent;
  }
  switch (values.strategy) {
    case 'weights':
      return { strategy: { type: 'weights', weights: counts(values.weights) }, ...common };
    case 'pinned':
      return {
        strategy: { type: 'pinned', replicas: counts(values.pinned) },
        clusters: [],
        min_per_cluster: 0,
        ...rules,
      };
    default:
      return { strategy: { type: 'free_capacity' }, ...common };
  }
}

/** Pinned replicas are counted by their sum; the field stands for the other strategies. */
export function wantedReplicas(values: ServiceValues): number {
  if (values.strategy !== 'pinned') return values.replicas;
  return Object.values(counts(values.pinned)).reduce((sum, count) => sum + count, 0);
}

export function valuesToNewService(values: ServiceValues): NewService {
  return {
    name: values.name.trim(),
    kind: 'Deployment',
    ...values.other.service,
    description: values.description,
    replicas: wantedReplicas(values),
    placement: valuesToPlacement(values),
    spec: valuesToSpec(values),
  };
}

type Described = Pick<
  Service,
  'project' | 'environment' | 'name' | 'description' | 'replicas' | 'placement'
> &
  Pick<NewService, 'kind' | 'comment'>;

const IN_THE_FORM = new Set([
  'image',
  'command',
  'args',
  'env',
  'config_files',
  'secrets',
  'ports',
  'volumes',
  'resources',
  'probes',
  'host_aliases',
  'stop',
  'rollout',
  'run_as_user',
  'annotations',
]);

/** What the form has no field for goes through it untouched. */
function otherOf({ kind, comment }: Described, spec: ServiceSpec): ServiceValues['other'] {
  return {
    service: { ...(kind && kind !== 'Deployment' ? { kind } : {}), ...(comment ? { comment } : {}) },
    spec: Object.fromEntries(Object.entries(spec).filter(([name]) => !IN_THE_FORM.has(name))),
  };
}

/** The form of a service as it is now. */
export function serviceToValues(service: Described, spec: ServiceSpec): ServiceValues {
  const values = defaultValues();
  const { strategy } = service.placement;
  return {
    ...values,
    project: service.project,
    environment: service.environment,
    name: service.name,
    description: service.description,
    replicas: service.replicas,
    strategy: strategy?.type ?? 'free_capacity',
    clusters: service.placement.clusters ?? [],
    min_per_cluster: service.placement.min_per_cluster ?? 0,
    max_percent_per_cluster: service.placement.max_percent_per_cluster ?? null,
    max_percent_per_zone: service.placement.max_percent_per_zone ?? null,
    max_percent_per_region: service.placement.max_percent_per_region ?? null,
    tolerations: (service.placement.tolerations ?? []).map(({ key, value }) => ({ key, value: value ?? '' })),
    avoid: service.placement.avoid ?? [],
    priority: service.placement.priority ?? 'normal',
    singleton: service.placement.singleton ?? false,
    weights: strategy?.type === 'weights' ? { ...strategy.weights } : {},
    pinned: strategy?.type === 'pinned' ? { ...strategy.replicas } : {},
    image: spec.image,
    command: listToLines(spec.command),
    args: listToLines(spec.args),
    env: (spec.env ?? []).map(({ name, value }) => ({ name, value: value ?? '' })),
    config_files: (spec.config_files ?? []).map(({ path, content }) => ({ path, content })),
    secrets: (spec.secrets ?? []).map(({ name, path, fingerprint }) => ({
      name,
      mount: path ? 'file' : 'env',
      path: path ?? '',
      value: '',
      fingerprint: fingerprint ?? '',
    })),
    ports: (spec.ports ?? []).map(({ name, port, protocol }) => ({
      name,
      port,
      protocol: protocol ?? 'TCP',
    })),
    volumes: (spec.volumes ?? []).map((volume) => ({
      ...volume,
      storage_class: volume.storage_class ?? '',
      access: volume.access ?? 'one_node',
      may_start_empty: volume.may_start_empty ?? false,
    })),
    resources: { ...DEFAULT_RESOURCES, ...spec.resources },
    probes: {
      startup: probeFromWire(spec.probes?.startup),
      readiness: probeFromWire(spec.probes?.readiness),
      liveness: probeFromWire(spec.probes?.liveness),
    },
    host_aliases: (spec.host_aliases ?? []).map(({ ip, hostnames }) => ({
      ip,
      hostnames: hostnames.join(' '),
    })),
    stop: {
      grace_period_seconds: spec.stop?.grace_period_seconds ?? values.stop.grace_period_seconds,
      pre_stop_command: listToLines(spec.stop?.pre_stop_command),
    },
    rollout: { ...values.rollout, ...spec.rollout },
    run_as_user: spec.run_as_user ?? null,
    annotations: Object.entries(spec.annotations ?? {}).map(([name, value]) => ({ name, value })),
    other: otherOf(service, spec),
  };
}
