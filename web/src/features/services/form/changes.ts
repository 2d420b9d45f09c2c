import type { SpecChange } from '@/api/types';
import { isRecord } from '@/api/error';

/** Lists whose entries have a name of their own; they are compared by it and not by their place. */
const KEYS: Record<string, string> = {
  env: 'name',
  config_files: 'path',
  secrets: 'name',
  ports: 'name',
  volumes: 'name',
  host_aliases: 'ip',
};

export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isEqual(item, right[index]));
  }
  if (isRecord(left) && isRecord(right)) {
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...names].every((name) => isEqual(left[name] ?? null, right[name] ?? null));
  }
  return false;
}

/** Nothing, and what stands for nothing on the wire. */
function isAbsent(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isRecord(value) && Object.keys(value).length === 0)
  );
}

function byKey(list: unknown[], key: string): Record<string, unknown> {
  return Object.fromEntries(
    list.map((item, index) => [
      isRecord(item) && typeof item[key] === 'string' ? item[key] : String(index),
      item,
    ]),
  );
}

/** What differs between two specs, in the paths that the server uses: `env[LOG_LEVEL].value`. */
export function findChanges(before: unknown, after: unknown, path = ''): SpecChange[] {
  if (isAbsent(before) && isAbsent(after)) return [];
  if (isEqual(before, after)) return [];
  const key = KEYS[path];
  if (key && (Array.isArray(before) || isAbsent(before)) && (Array.isArray(after) || isAbsent(after))) {
    const left = byKey((before as unknown[] | undefined) ?? [], key);
    const right = byKey((after as unknown[] | undefined) ?? [], key);
    return names(left, right).flatMap((name) => findChanges(left[name], right[name], `${path}[${name}]`));
  }
  if (isRecord(before) && isRecord(after)) {
    return names(before, after).flatMap((name) =>
      findChanges(before[name], after[name], path ? `${path}.${name}` : name),
    );
  }
  if (isAbsent(before)) return [{ path, kind: 'added', before: null, after: after as SpecChange['after'] }];
  if (isAbsent(after))
    return [{ path, kind: 'removed', before: before as SpecChange['before'], after: null }];
  return [
    { path, kind: 'changed', before: before as SpecChange['before'], after: after as SpecChange['after'] },
  ];
}

function names(left: Record<string, unknown>, right: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])];
}

/**
 * Two people edited at once: takes theirs where only they changed something since `base`, and keeps what
 * was typed here wherever it was. Whole fields only; both having changed the same field is a conflict.
 */
export function mergeValues<T extends object>(
  base: T,
  mine: T,
  theirs: T,
): { merged: T; conflicts: (keyof T)[] } {
  const merged = { ...mine };
  const conflicts: (keyof T)[] = [];
  for (const field of Object.keys(mine) as (keyof T)[]) {
    const untouched = isEqual(mine[field], base[field]);
    if (untouched) merged[field] = theirs[field];
    else if (!isEqual(theirs[field], base[field]) && !isEqual(theirs[field], mine[field]))
      conflicts.push(field);
  }
  return { merged, conflicts };
}
