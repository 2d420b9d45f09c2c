import { describe, expect, it } from 'vitest';
import { findChanges, isEqual, mergeValues } from './changes';

describe('the difference of two specs', () => {
  it('is nothing between nothing and empty', () => {
    expect(findChanges({ image: 'a', env: [], probes: {} }, { image: 'a', env: undefined })).toEqual([]);
  });

  it('names fields as the server does', () => {
    const before = {
      image: 'web:1',
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      stop: { grace_period_seconds: 30 },
    };
    const after = {
      image: 'web:2',
      env: [
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
      stop: { grace_period_seconds: 30 },
    };
    expect(findChanges(before, after)).toEqual([
      { path: 'image', kind: 'changed', before: 'web:1', after: 'web:2' },
      { path: 'env[A]', kind: 'removed', before: { name: 'A', value: '1' }, after: null },
      { path: 'env[B].value', kind: 'changed', before: '2', after: '3' },
      { path: 'env[C]', kind: 'added', before: null, after: { name: 'C', value: '4' } },
    ]);
  });

  it('takes another order of named entries for the same', () => {
    const one = { name: 'A', value: '1' };
    const two = { name: 'B', value: '2' };
    expect(findChanges({ env: [one, two] }, { env: [two, one] })).toEqual([]);
  });

  it('shows lists without names as a whole', () => {
    expect(findChanges({ args: ['a'] }, { args: ['a', 'b'] })).toEqual([
      { path: 'args', kind: 'changed', before: ['a'], after: ['a', 'b'] },
    ]);
  });

  it('tells apart zero, empty text and nothing', () => {
    expect(isEqual({ a: 0 }, { a: null })).toBe(false);
    expect(isEqual({ a: '' }, {})).toBe(false);
    expect(isEqual({ a: null }, {})).toBe(true);
  });
});

describe('two edits at once', () => {
  const base = { image: 'web:1', replicas: 2, env: [{ name: 'A', value: '1' }] };

  it('keep mine where I typed and take theirs elsewhere', () => {
    const mine = { ...base, image: 'web:2' };
    const theirs = { ...base, replicas: 5 };
    expect(mergeValues(base, mine, theirs)).toEqual({
      merged: { ...base, image: 'web:2', replicas: 5 },
      conflicts: [],
    });
  });

  it('say where both typed something different', () => {
    const mine = { ...base, image: 'web:2' };
    const theirs = { ...base, image: 'web:3' };
    expect(mergeValues(base, mine, theirs)).toEqual({ merged: mine, conflicts: ['image'] });
  });

  it('do not conflict where both typed the same', () => {
    const both = { ...base, env: [] };
    expect(mergeValues(base, both, both)).toEqual({ merged: both, conflicts: [] });
  });
});
