import { describe, expect, it } from 'vitest';
import { differences } from './difference';

describe('what differs between two objects', () => {
  it('is named by its path', () => {
    const before = { name: 'web', replicas: 2, spec: { image: 'a:1', env: [1], old: true }, gone: null };
    const after = { name: 'web', replicas: 3, spec: { image: 'a:1', env: [1, 2], fresh: {} }, gone: null };
    expect(differences(before, after)).toEqual([
      { path: 'replicas', kind: 'changed', before: 2, after: 3 },
      { path: 'spec.env', kind: 'changed', before: [1], after: [1, 2] },
      { path: 'spec.old', kind: 'removed', before: true },
      { path: 'spec.fresh', kind: 'added', after: {} },
    ]);
  });
  it('is nothing for the same', () => {
    expect(differences({ a: [{ b: 1 }] }, { a: [{ b: 1 }] })).toEqual([]);
  });
});
