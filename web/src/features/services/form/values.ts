import type { FormInstance } from 'antd';
import type {
  NewService,
  PlacementStrategy,
  Priority,
  ProbeCheck,
  Resources,
  ServiceSpec,
  Volume,
} from '@/api/types';

export interface ProbeValues {
  enabled: boolean;
  type: ProbeCheck['type'];
  path: string;
  port: number | null;
  /** One argument a line. */
  command: string;
  initial_delay_seconds: number;
  period_seconds: number;
  timeout_seconds: number;
  failure_threshold: number;
}

export interface SecretValues {
  name: string;
  mount: 'env' | 'file';
  path: string;
  /** Empty keeps what the revision before had. */
  value: string;
  /** Of the value that is stored; empty for a secret that is new. */
  fingerprint: string;
}

export interface HostAliasValues {
  ip: string;
  /** Separated by spaces. */
  hostnames: string;
}

/** A service as its form holds it: texts where the wire has lists, rows where it has maps. */
export interface ServiceValues {
  project: string;
  environment: string;
  name: string;
  description: string;
  replicas: number;
  strategy: PlacementStrategy['type'];
  clusters: string[];
  min_per_cluster: number;
  max_percent_per_cluster: number | null;
  max_percent_per_zone: number | null;
  max_percent_per_region: number | null;
  tolerations: { key: string; value: string }[];
  avoid: string[];
  priority: Priority;
  singleton: boolean;
  weights: Record<string, number | null>;
  pinned: Record<string, number | null>;
  image: string;
  command: string;
  args: string;
  env: { name: string; value: string }[];
  config_files: { path: string; content: string }[];
  secrets: SecretValues[];
  ports: { name: string; port: number | null; protocol: 'TCP' | 'UDP' }[];
  /** An empty storage class is each cluster's default. */
  volumes: Required<Volume & { storage_class: string }>[];
  resources: Required<Resources>;
  probes: { startup: ProbeValues; readiness: ProbeValues; liveness: ProbeValues };
  host_aliases: HostAliasValues[];
  stop: { grace_period_seconds: number; pre_stop_command: string };
  rollout: {
    max_surge: string;
    max_unavailable: string;
    progress_deadline_seconds: number;
    min_ready_seconds: number;
  };
  run_as_user: number | null;
  annotations: { name: string; value: string }[];
  /** What the form has no field for. */
  other: { service: Partial<NewService>; spec: Partial<ServiceSpec> };
}

/** The limits of a service's share of one place, as they are called on the wire. */
export const SHARES = ['max_percent_per_cluster', 'max_percent_per_zone', 'max_percent_per_region'] as const;

export type ProbeName = keyof ServiceValues['probes'];
export const PROBES: ProbeName[] = ['readiness', 'liveness', 'startup'];

export const DEFAULT_RESOURCES: Required<Resources> = {
  cpu_request: '1',
  cpu_limit: '1',
  memory_request: '1Gi',
  memory_limit: '1Gi',
  gpus: 0,
};

export function defaultProbe(): ProbeValues {
  return {
    enabled: false,
    type: 'http',
    path: '/',
    port: null,
    command: '',
    initial_delay_seconds: 0,
    period_seconds: 10,
    timeout_seconds: 1,
    failure_threshold: 3,
  };
}

export function defaultValues(): ServiceValues {
  return {
    project: '',
    environment: '',
    name: '',
    description: '',
    replicas: 2,
    strategy: 'free_capacity',
    clusters: [],
    min_per_cluster: 0,
    max_percent_per_cluster: null,
    max_percent_per_zone: null,
    max_percent_per_region: null,
    tolerations: [],
    avoid: [],
    priority: 'normal',
    singleton: false,
    weights: {},
    pinned: {},
    image: '',
    command: '',
    args: '',
    env: [],
    config_files: [],
    secrets: [],
    ports: [],
    volumes: [],
    resources: { ...DEFAULT_RESOURCES },
    probes: { startup: defaultProbe(), readiness: defaultProbe(), liveness: defaultProbe() },
    host_aliases: [],
    stop: { grace_period_seconds: 30, pre_stop_command: '' },
    rollout: { max_surge: '25%', max_unavailable: '0', progress_deadline_seconds: 600, min_ready_seconds: 0 },
    run_as_user: null,
    annotations: [],
    other: { service: {}, spec: {} },
  };
}

/** Fills the form with exactly this; antd's own `setFieldsValue` would keep what a map holds no more. */
export function setValues(form: FormInstance<ServiceValues>, values: ServiceValues): void {
  for (const name of Object.keys(values) as (keyof ServiceValues)[]) form.setFieldValue(name, values[name]);
}
