import type { FieldError } from '@/api/types';

export type NamePath = (string | number)[];

/** `spec.env[2].name` as a form's path: `['env', 2, 'name']`. */
export function fieldPath(field: string): NamePath {
  const parts = field
    .replace(/^spec\./, '')
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return toFormPath(parts);
}

/** Where the wire nests differently than the form. */
function toFormPath(parts: NamePath): NamePath {
  const [first, second, third, ...rest] = parts;
  if (first === 'placement') {
    if (second === 'strategy') {
      const map = third === 'replicas' ? 'pinned' : third;
      return third === undefined || third === 'type' ? ['strategy'] : [map as string, ...rest];
    }
    if (second === 'tolerations' && third !== undefined) return [second, third, ...rest];
    return second === undefined ? ['strategy'] : [second];
  }
  if (first === 'probes' && third === 'check') return ['probes', second as string, ...rest.slice(0, 1)];
  if (first === 'command' || first === 'args') return [first];
  if (first === 'stop' && second === 'pre_stop_command') return ['stop', 'pre_stop_command'];
  if (first === 'host_aliases' && third === 'hostnames')
    return ['host_aliases', second as number, 'hostnames'];
  return parts;
}

const FIELDS = new Set([
  'project',
  'environment',
  'name',
  'description',
  'replicas',
  'strategy',
  'clusters',
  'min_per_cluster',
  'max_percent_per_cluster',
  'max_percent_per_zone',
  'max_percent_per_region',
  'tolerations',
  'avoid',
  'priority',
  'singleton',
  'weights',
  'pinned',
  'image',
  'command',
  'args',
  'env',
  'config_files',
  'secrets',
  'ports',
  'volumes',
  'resources',
  'probes',
  'host_aliases',
  'stop',
  'rollout',
  'run_as_user',
  'annotations',
]);

/** Divides the server's field errors into those that a field can show and the rest. */
export function placeFieldErrors(errors: FieldError[]): {
  fields: { name: NamePath; errors: string[] }[];
  rest: FieldError[];
} {
  const fields = new Map<string, { name: NamePath; errors: string[] }>();
  const rest: FieldError[] = [];
  for (const error of errors) {
    const name = fieldPath(error.field);
    // A whole list or group has no field of its own to stand at.
    const wholeGroup = name.length === 1 && GROUPS.has(String(name[0]));
    if (!FIELDS.has(String(name[0])) || wholeGroup || name[0] === 'annotations') {
      rest.push(error);
      continue;
    }
    const key = name.join('.');
    const known = fields.get(key);
    if (known) known.errors.push(error.message);
    else fields.set(key, { name, errors: [error.message] });
  }
  return { fields: [...fields.values()], rest };
}

const GROUPS = new Set([
  'env',
  'config_files',
  'secrets',
  'ports',
  'volumes',
  'resources',
  'probes',
  'host_aliases',
  'stop',
  'rollout',
  'weights',
  'pinned',
]);
