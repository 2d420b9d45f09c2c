import type {
  AuditOutcome,
  ClusterState,
  OperationState,
  Pod,
  ServiceState,
  StepState,
  SyncState,
} from '@/api/types';

/** The colours of a state; the same everywhere. */
export type Tone = 'running' | 'progressing' | 'degraded' | 'failed' | 'stopped' | 'unknown';

export const SERVICE_STATES: ServiceState[] = [
  'failed',
  'degraded',
  'unknown',
  'progressing',
  'running',
  'stopped',
];

const CLUSTER: Record<ClusterState, Tone> = {
  pending: 'progressing',
  ready: 'running',
  suspect: 'degraded',
  unreachable: 'failed',
  recovering: 'progressing',
  evacuating: 'progressing',
  evacuated: 'stopped',
  removing: 'progressing',
};
const OPERATION: Record<OperationState, Tone> = {
  running: 'progressing',
  waiting: 'degraded',
  succeeded: 'running',
  failed: 'failed',
  superseded: 'stopped',
};
const STEP: Record<StepState, Tone> = {
  pending: 'stopped',
  running: 'progressing',
  waiting: 'degraded',
  succeeded: 'running',
  failed: 'failed',
};
const SYNC: Record<SyncState, Tone> = {
  pending: 'progressing',
  progressing: 'progressing',
  synced: 'running',
  failed: 'failed',
  waiting: 'unknown',
  removing: 'progressing',
};
const AUDIT: Record<AuditOutcome, Tone> = {
  succeeded: 'running',
  refused: 'degraded',
  failed: 'failed',
  unknown: 'unknown',
};

export const clusterTone = (state: ClusterState): Tone => CLUSTER[state] ?? 'unknown';
export const operationTone = (state: OperationState): Tone => OPERATION[state] ?? 'unknown';
export const stepTone = (state: StepState): Tone => STEP[state] ?? 'unknown';
export const syncTone = (state: SyncState): Tone => SYNC[state] ?? 'unknown';
export const auditTone = (outcome: AuditOutcome): Tone => AUDIT[outcome] ?? 'unknown';

const STARTING = new Set(['Pending', 'ContainerCreating', 'PodInitializing', 'Scheduled']);
const ENDED = new Set(['Completed', 'Succeeded', 'Terminating']);

/** A pod's colour: what it says of itself, and grey as soon as that is old. */
export function podTone(pod: Pick<Pod, 'status' | 'ready' | 'stale' | 'phase'>): Tone {
  if (pod.stale || pod.phase === 'unknown') return 'unknown';
  if (ENDED.has(pod.status) || pod.phase === 'succeeded') return 'stopped';
  if (pod.status === 'Running') return pod.ready ? 'running' : 'degraded';
  if (STARTING.has(pod.status) || pod.status.startsWith('Init')) return 'progressing';
  return 'failed';
}

/** Whether someone should look: for the counts that ask for attention. */
export function needsAttention(tone: Tone): boolean {
  return tone === 'failed' || tone === 'degraded' || tone === 'unknown';
}
