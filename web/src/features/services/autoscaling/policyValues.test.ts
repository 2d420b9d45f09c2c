import { describe, expect, it } from 'vitest';
import type { AutoscalingPolicy } from '@/api/types';
import { freshValues, policyFieldPath, policyToValues, valuesToPolicy } from './policyValues';

const policy: AutoscalingPolicy = {
  min_replicas: 2,
  max_replicas: 12,
  metrics: [
    { source: { type: 'cpu', of: 'request' }, target: 50 },
    { source: { type: 'memory', of: 'limit' }, target: 80 },
    { source: { type: 'network', direction: 'sent' }, target: 1e6 },
    { source: { type: 'promql', query: 'queue_length' }, target: 30 },
  ],
  rounding: 'ceil',
  tolerance_percent: 5,
  foresight_seconds: 0,
  up: { stabilization_seconds: 0, select: 'min', steps: [] },
  down: { stabilization_seconds: 300, select: 'disabled', steps: [] },
  schedules: [
    {
      name: 'sale',
      cron: '0 8 * * *',
      time_zone: 'Asia/Shanghai',
      minutes: 90,
      min_replicas: 8,
      max_replicas: 40,
    },
  ],
  paused: false,
  dry_run: true,
};

describe('a policy in the form', () => {
  it('comes back as it was', () => {
    expect(valuesToPolicy(policyToValues(policy))).toEqual(policy);
    const paused = { ...policy, paused: true, dry_run: false };
    expect(valuesToPolicy(policyToValues(paused))).toEqual(paused);
  });

  it('takes what the API leaves out as its defaults', () => {
    const { min_replicas, max_replicas, metrics } = policy;
    const values = policyToValues({ min_replicas, max_replicas, metrics });
    expect(values.up).toEqual(freshValues(1).up);
    expect(values.mode).toBe('active');
  });

  it('shows a refusal at its field', () => {
    expect(policyFieldPath('max_replicas')).toEqual(['max_replicas']);
    expect(policyFieldPath('metrics[1].source.query')).toEqual(['metrics', 1, 'query']);
    expect(policyFieldPath('metrics[1].source')).toEqual(['metrics', 1, 'kind']);
    expect(policyFieldPath('schedules[0].time_zone')).toEqual(['schedules', 0, 'time_zone']);
    expect(policyFieldPath('down.steps[0].value')).toEqual(['down', 'steps', 0, 'value']);
  });
});
