import { randomUUID } from 'node:crypto';
import type { Cluster } from '../../src/api/types';
import { ago, now } from './time';

export function cluster(name: string, region: string, patch: Partial<Cluster> = {}): Cluster {
  return {
    id: randomUUID(),
    name,
    region,
    zone: `${region}-a`,
    labels: { tier: 'general', owner: 'platform' },
    cordoned: false,
    taints: [],
    prometheus_url: null,
    state: 'ready',
    state_reason: '',
    state_since: ago(86_400 * 3),
    status: {
      state: patch.state ?? 'ready',
      reason: patch.state_reason ?? '',
      since: patch.state_since ?? ago(86_400 * 3),
    },
    witnesses: [{ kind: 'probe', fresh: !patch.state, counts: true, heard_at: now(), message: '' }],
    observed: {
      observed_at: now(),
      stale: false,
      kubernetes_version: 'v1.33.1',
      nodes: 3,
      nodes_ready: 3,
      pods: 41,
      allocatable: { cpu_millicores: 24_000, memory_bytes: 96 * 2 ** 30, pods: 330 },
      requested: { cpu_millicores: 11_500, memory_bytes: 40 * 2 ** 30, pods: 41 },
      used: { cpu_millicores: 5_200, memory_bytes: 31 * 2 ** 30, pods: 41 },
    },
    services: 4,
    assigned_replicas: 9,
    version: 1,
    created_at: ago(86_400 * 30),
    updated_at: ago(86_400 * 3),
    ...patch,
  };
}
