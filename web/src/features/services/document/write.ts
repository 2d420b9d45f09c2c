import { Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from 'yaml';
import { isRecord } from '@/api/error';
import { isEqual } from '../form/changes';
import { valuesToNewService } from '../form/convert';
import type { ServiceValues } from '../form/values';

const MASK = '••••••';

/** What the text of a service holds: the body that creates it, without what stands for nothing. */
export function valuesToWire(values: ServiceValues, creating: boolean): Record<string, unknown> {
  const { name, kind, comment, ...rest } = valuesToNewService(values);
  const whole = creating ? { name, kind, comment, ...rest } : rest;
  return withoutNothing(whole, true) as Record<string, unknown>;
}

function isNothing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isRecord(value) && Object.keys(value).length === 0)
  );
}

function withoutNothing(value: unknown, top = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNothing(item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, each]) => [name, withoutNothing(each)] as const)
      .filter(([name, each]) => !isNothing(each) && !(top && name === 'description' && each === '')),
  );
}

const STYLE = { lineWidth: 0 } as const;

/** The service as YAML; what an earlier text had of comments, order and spelling stays where it still holds. */
export function writeText(values: ServiceValues, creating: boolean, earlier?: string): string {
  const wire = valuesToWire(values, creating);
  const document = earlier === undefined ? undefined : parseDocument(earlier);
  if (!document || document.errors.length > 0 || !isMap(document.contents)) {
    return new Document(wire).toString(STYLE);
  }
  const contents = reconcile(document, document.contents, wire);
  if (contents !== document.contents) document.contents = contents as typeof document.contents;
  return document.toString(STYLE);
}

/** The node with the least changed in it so that it says `value`. */
function reconcile(document: Document, node: Node | null, value: unknown): Node {
  if (node && isEqual(toPlain(document, node), value)) return node;
  if (isMap(node) && isRecord(value)) {
    const pairs = node.items as Pair<Node, Node | null>[];
    const nameOf = ({ key }: Pair<Node, Node | null>) => String(isScalar(key) ? key.value : key);
    node.items = pairs.filter((pair) => nameOf(pair) in value || isNothing(toPlain(document, pair.value)));
    for (const [name, each] of Object.entries(value)) {
      const pair = (node.items as Pair<Node, Node | null>[]).find((known) => nameOf(known) === name);
      if (pair) pair.value = reconcile(document, pair.value, each);
      else node.items.push(document.createPair(name, each));
    }
    return node;
  }
  if (isSeq(node) && Array.isArray(value)) {
    node.items = value.map((each, index) => reconcile(document, (node.items[index] as Node) ?? null, each));
    return node;
  }
  if (isScalar(node) && !isAlias(node) && typeof node.value === typeof value) {
    node.value = value;
    return node;
  }
  const fresh = document.createNode(value) as Node;
  fresh.comment = node?.comment;
  fresh.commentBefore = node?.commentBefore;
  return fresh;
}

function toPlain(document: Document, node: Node | null): unknown {
  return node === null ? null : (node.toJS(document) as unknown);
}

/** The text of a difference: the same, and no secret can be read in it. */
export function comparedText(values: ServiceValues): string {
  const wire = valuesToWire(values, false);
  const spec = { ...(wire.spec as Record<string, unknown>) };
  if (values.secrets.length > 0) {
    spec.secrets = values.secrets.map(({ name, mount, path, value, fingerprint }) => ({
      name,
      ...(mount === 'file' ? { path } : {}),
      value: value === '' ? fingerprint : MASK,
    }));
  }
  return new Document({ ...wire, spec }).toString(STYLE);
}
