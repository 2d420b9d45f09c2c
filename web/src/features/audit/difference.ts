import { isRecord } from '@/api/error';
import type { SpecChange } from '@/api/types';

/** The document says `object` for what is any JSON. */
type Value = SpecChange['before'];

/** What differs between two objects, field by field; lists are compared as a whole. */
export function differences(before: unknown, after: unknown, path = ''): SpecChange[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      differences(before[name], after[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isAbsent(before)) return [{ path, kind: 'added', after: after as Value }];
  if (isAbsent(after)) return [{ path, kind: 'removed', before: before as Value }];
  return [{ path, kind: 'changed', before: before as Value, after: after as Value }];
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
