import type { AutoscalingPolicy, MetricSource, ScalingStep, ScheduledBounds } from '@/api/types';

/** A metric as the form has it; a percent of the limit is a kind of its own there. */
export interface MetricValues {
  kind: MetricKind;
  query: string;
  target: number | null;
}

export const METRIC_KINDS = [
  'cpu',
  'cpu_of_limit',
  'memory',
  'memory_of_limit',
  'network_received',
  'network_sent',
  'promql',
] as const;
export type MetricKind = (typeof METRIC_KINDS)[number];

export interface BehaviorValues {
  stabilization_seconds: number;
  select: 'max' | 'min' | 'disabled';
  steps: ScalingStep[];
}

export interface PolicyValues {
  min_replicas: number;
  max_replicas: number;
  metrics: MetricValues[];
  rounding: 'fewest' | 'ceil';
  tolerance_percent: number;
  foresight_seconds: number;
  up: BehaviorValues;
  down: BehaviorValues;
  schedules: ScheduledBounds[];
  mode: 'active' | 'dry_run' | 'paused';
}

export const FRESH_METRIC: MetricValues = { kind: 'cpu', query: '', target: 60 };
export const FRESH_STEP: ScalingStep = { unit: 'replicas', value: 4, period_seconds: 60 };
export const FRESH_SCHEDULE: ScheduledBounds = {
  name: '',
  cron: '0 8 * * 1-5',
  time_zone: 'UTC',
  minutes: 60,
  min_replicas: 2,
  max_replicas: 10,
};

/** What a service without a policy begins with; the speeds are the API's own defaults. */
export function freshValues(replicas: number): PolicyValues {
  return {
    min_replicas: Math.max(1, replicas),
    max_replicas: Math.max(2, replicas * 4),
    metrics: [FRESH_METRIC],
    rounding: 'fewest',
    tolerance_percent: 10,
    foresight_seconds: 75,
    up: {
      stabilization_seconds: 60,
      select: 'max',
      steps: [
        { unit: 'percent', value: 100, period_seconds: 15 },
        { unit: 'replicas', value: 4, period_seconds: 15 },
      ],
    },
    down: { stabilization_seconds: 180, select: 'max', steps: [] },
    schedules: [],
    mode: 'active',
  };
}

function kindOf(source: MetricSource): MetricKind {
  switch (source.type) {
    case 'cpu':
      return source.of === 'limit' ? 'cpu_of_limit' : 'cpu';
    case 'memory':
      return source.of === 'limit' ? 'memory_of_limit' : 'memory';
    case 'network':
      return source.direction === 'sent' ? 'network_sent' : 'network_received';
    case 'promql':
      return 'promql';
  }
}

function sourceOf({ kind, query }: MetricValues): MetricSource {
  switch (kind) {
    case 'cpu':
      return { type: 'cpu', of: 'request' };
    case 'cpu_of_limit':
      return { type: 'cpu', of: 'limit' };
    case 'memory':
      return { type: 'memory', of: 'request' };
    case 'memory_of_limit':
      return { type: 'memory', of: 'limit' };
    case 'network_received':
      return { type: 'network', direction: 'received' };
    case 'network_sent':
      return { type: 'network', direction: 'sent' };
    case 'promql':
      return { type: 'promql', query };
  }
}

export function policyToValues(policy: AutoscalingPolicy): PolicyValues {
  const fresh = freshValues(1);
  return {
    min_replicas: policy.min_replicas,
    max_replicas: policy.max_replicas,
    metrics: policy.metrics.map(({ source, target }) => ({
      kind: kindOf(source),
      query: source.type === 'promql' ? source.query : '',
      target,
    })),
    rounding: policy.rounding ?? fresh.rounding,
    tolerance_percent: policy.tolerance_percent ?? fresh.tolerance_percent,
    foresight_seconds: policy.foresight_seconds ?? fresh.foresight_seconds,
    up: { ...fresh.up, ...policy.up },
    down: { ...fresh.down, ...policy.down },
    schedules: policy.schedules ?? [],
    mode: policy.paused ? 'paused' : policy.dry_run ? 'dry_run' : 'active',
  };
}

export function valuesToPolicy({ metrics, mode, ...values }: PolicyValues): AutoscalingPolicy {
  return {
    ...values,
    metrics: metrics.map((metric) => ({ source: sourceOf(metric), target: metric.target ?? 0 })),
    paused: mode === 'paused',
    dry_run: mode === 'dry_run',
  };
}

/** Where a field of the API stands in the form. */
export function policyFieldPath(field: string): (string | number)[] {
  const parts = field
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (parts[0] !== 'metrics' || parts[2] !== 'source') return parts;
  return [...parts.slice(0, 2), parts[3] === 'query' ? 'query' : 'kind'];
}
