import { describe, expect, it } from 'vitest';
import { beyondCounts, knownReason } from './problemReason';

const isKnown = (reason: string) => ['ImagePullBackOff', 'OOMKilled', 'CrashLoopBackOff'].includes(reason);

describe('a message of the server', () => {
  it('is about the first reason that has words', () => {
    expect(knownReason('east-1: ImagePullBackOff: ErrImagePull: code = NotFound', isKnown)).toBe(
      'ImagePullBackOff',
    );
    expect(knownReason('OOMKilled on both', isKnown)).toBe('OOMKilled');
    expect(knownReason('a PodDisruptionBudget holds it', isKnown)).toBeUndefined();
    expect(knownReason('', isKnown)).toBeUndefined();
  });

  it('says no more than numbers do, or more', () => {
    expect(beyondCounts('2 of 3 replicas ready')).toBe('');
    expect(beyondCounts('2 of 3 replicas ready; OOMKilled')).toBe('OOMKilled');
    expect(beyondCounts('waits for west-1')).toBe('waits for west-1');
  });
});
