import { describe, expect, it } from 'vitest';
import {
  clusterTone,
  needsAttention,
  operationTone,
  podTone,
  SERVICE_STATES,
  stepTone,
  syncTone,
} from './status';

const pod = (
  status: string,
  ready = false,
  stale = false,
  phase: 'running' | 'unknown' | 'succeeded' = 'running',
) => podTone({ status, ready, stale, phase });

describe('the colour of a pod', () => {
  it('is green only when it is ready now', () => {
    expect(pod('Running', true)).toBe('running');
    expect(pod('Running', false)).toBe('degraded');
  });

  it('is never green when what is known is old', () => {
    expect(pod('Running', true, true)).toBe('unknown');
    expect(pod('Running', true, false, 'unknown')).toBe('unknown');
  });

  it('tells starting, ended and failing apart', () => {
    for (const status of ['Pending', 'ContainerCreating', 'Init:0/1'])
      expect(pod(status)).toBe('progressing');
    for (const status of ['Completed', 'Terminating']) expect(pod(status)).toBe('stopped');
    for (const status of [
      'CrashLoopBackOff',
      'ImagePullBackOff',
      'OOMKilled',
      'Error',
      'Evicted',
      'Unschedulable',
    ]) {
      expect(pod(status), status).toBe('failed');
    }
  });
});

describe('the other states', () => {
  it('have the colour of what they mean', () => {
    expect(clusterTone('unreachable')).toBe('failed');
    expect(operationTone('waiting')).toBe('degraded');
    expect(operationTone('superseded')).toBe('stopped');
    expect(stepTone('succeeded')).toBe('running');
    expect(syncTone('waiting')).toBe('unknown');
  });

  it('are grey when the server says something newer than this page knows', () => {
    expect(clusterTone('melting' as never)).toBe('unknown');
    expect(operationTone('dreaming' as never)).toBe('unknown');
  });

  it('ask for attention when failed, degraded or unknown', () => {
    expect(SERVICE_STATES.filter(needsAttention)).toEqual(['failed', 'degraded', 'unknown']);
  });
});
