import { type Document, LineCounter, parseDocument } from 'yaml';
import type { FieldError, NewService, ServiceSpec } from '@/api/types';
import { findChanges } from '../form/changes';
import { serviceToValues } from '../form/convert';
import { SHARES, type ServiceValues } from '../form/values';
import { checkDocument, type Problem } from './check';
import { locate } from './locate';
import { CREATE_SCHEMA, EDIT_SCHEMA } from './schema';
import { valuesToWire } from './write';

export interface Reading {
  document: Document;
  problems: Problem[];
  /** What the text says, when nothing is wrong with it. */
  values: ServiceValues | undefined;
  lineOf: (offset: number) => number;
}

/** Reads a service out of its text; `before` is what was in the form, for what a text does not hold. */
export function readText(text: string, creating: boolean, before: ServiceValues): Reading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const syntax = [...document.errors, ...document.warnings].map(({ pos: [from, to], message }): Problem => ({
    from,
    to: Math.max(from, Math.min(to, text.length)),
    kind: 'syntax',
    values: { message },
  }));
  const problems =
    syntax.length > 0 ? syntax : checkDocument(document, creating ? CREATE_SCHEMA : EDIT_SCHEMA);
  if (problems.length > 0) return { document, problems, values: undefined, lineOf };
  // Aliases can't nest deeper than the schema does, so they need no bound of their own.
  const body = document.toJS({ maxAliasCount: -1 }) as NewService;
  const values = wireToValues(body, creating, before);
  const lost = findLost(body, valuesToWire(values, creating)).map(({ field, becomes }): Problem => ({
    ...locate(document, field),
    kind: 'lost',
    values: { field, becomes },
  }));
  return { document, problems: lost, values: lost.length > 0 ? undefined : values, lineOf };
}

/** A text says less than the form can hold: what it leaves out of use stays as it was typed. */
function wireToValues(body: NewService, creating: boolean, before: ServiceValues): ServiceValues {
  const fingerprints = new Map(before.secrets.map(({ name, fingerprint }) => [name, fingerprint]));
  const spec: ServiceSpec = {
    ...body.spec,
    secrets: (body.spec.secrets ?? []).map((secret) => ({
      ...secret,
      fingerprint: fingerprints.get(secret.name) || null,
    })),
  };
  const values = serviceToValues(
    {
      project: before.project,
      environment: before.environment,
      name: creating ? body.name : before.name,
      description: body.description ?? '',
      replicas: body.replicas ?? (creating ? 1 : before.replicas),
      placement: body.placement ?? {},
      kind: creating ? body.kind : undefined,
      comment: creating ? body.comment : undefined,
    },
    spec,
  );
  const typed = new Map((body.spec.secrets ?? []).map(({ name, value }) => [name, value ?? '']));
  for (const secret of values.secrets) secret.value = typed.get(secret.name) ?? '';
  for (const name of ['startup', 'readiness', 'liveness'] as const) {
    if (!values.probes[name].enabled) values.probes[name] = { ...before.probes[name], enabled: false };
  }
  if (values.strategy !== 'weights') values.weights = before.weights;
  if (values.strategy !== 'pinned') values.pinned = before.pinned;
  else {
    values.replicas = before.replicas;
    values.clusters = before.clusters;
    values.min_per_cluster = before.min_per_cluster;
    for (const name of SHARES) values[name] = before[name];
  }
  return values;
}

/** What the text says and the form would not: it must not go without a word. */
function findLost(body: NewService, back: Record<string, unknown>): { field: string; becomes: string }[] {
  const { spec, ...rest } = body;
  const { spec: specBack, ...restBack } = back;
  const changes = [
    ...findChanges(rest, restBack),
    ...findChanges(spec, specBack).map((change) => ({ ...change, path: `spec.${change.path}` })),
  ];
  return changes
    .filter(({ kind, before }) => kind !== 'added' && (before as unknown) !== '')
    .map(({ path, after }) => ({ field: path, becomes: after === null ? '–' : JSON.stringify(after) }));
}

/** What the server refused, at the lines it stands on, for as long as they say what was refused. */
export function placeServerErrors(
  { document }: Reading,
  errors: readonly FieldError[],
  refused: Document | undefined,
): Problem[] {
  return errors
    .filter(({ field }) => !refused || textOf(document, field) === textOf(refused, field))
    .map(({ field, message }) => ({
      ...locate(document, field),
      kind: 'server',
      values: { field, message },
    }));
}

function textOf(document: Document, field: string): string {
  const node = locate(document, field).node;
  return node ? JSON.stringify(node.toJS(document)) : '';
}
