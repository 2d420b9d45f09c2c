import { describe, expect, it } from 'vitest';
import { defaultValues, type ServiceValues } from '../form/values';
import { editChanges } from './save';

const before: ServiceValues = {
  ...defaultValues(),
  image: 'web:1',
  secrets: [{ name: 'TOKEN', mount: 'env', path: '', value: '', fingerprint: 'ab12' }],
};

describe('what an edit changes', () => {
  it('is nothing while nothing was typed', () => {
    expect(editChanges(before, structuredClone(before))).toEqual({ spec: [], rest: [] });
  });

  it('tells a new revision from what stands beside it', () => {
    const { spec, rest } = editChanges(before, { ...before, image: 'web:2', replicas: 7, description: 'x' });
    expect(spec.map(({ path }) => path)).toEqual(['image']);
    expect(rest.map(({ path }) => path)).toEqual(['description', 'replicas']);
  });

  it('shows that a secret was typed, never what', () => {
    const typed = structuredClone(before);
    if (typed.secrets[0]) typed.secrets[0].value = 'hunter2';
    const { spec } = editChanges(before, typed);
    expect(spec).toEqual([
      { path: 'secrets[TOKEN].value', kind: 'changed', before: 'ab12', after: '••••••' },
    ]);
    expect(JSON.stringify(spec)).not.toContain('hunter2');
  });
});
