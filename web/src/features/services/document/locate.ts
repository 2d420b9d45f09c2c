import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';

/** What names an entry of a list, where it is not named by its place. */
const NAMES = ['name', 'path', 'ip'];

/** `spec.env[2].name` and `env[LOG_LEVEL].value` as parts. */
export function pathParts(path: string): string[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, key, name]) => key ?? name ?? '');
}

/** A place in the text, and what stands there. */
export interface Place {
  from: number;
  to: number;
  node: Node | null;
}

/**
 * Where a field stands in the text: itself, or of what holds it as much as there is. Fields of the spec may be
 * named with or without `spec.` before them.
 */
export function locate(document: Document, field: string): Place {
  const parts = pathParts(field);
  const root = document.contents;
  const [first = ''] = parts;
  const inSpec = first !== 'spec' && isMap(root) && !root.has(first);
  return walk(document, root, inSpec ? ['spec', ...parts] : parts);
}

function walk(document: Document, root: Node | null, parts: string[]): Place {
  let node = root;
  let range = root?.range;
  for (const part of parts) {
    const inner = isAlias(node) ? (node.resolve(document) ?? null) : node;
    const next = child(inner, part);
    if (!next) break;
    node = next.value;
    range = next.value?.range ?? next.key?.range ?? range;
  }
  return { from: range?.[0] ?? 0, to: range?.[1] ?? 0, node };
}

function child(node: Node | null, part: string): { key?: Node; value: Node | null } | undefined {
  if (isMap(node)) {
    const pair = (node.items as Pair<Node, Node | null>[]).find(
      ({ key }) => isScalar(key) && String(key.value) === part,
    );
    return pair && { key: pair.key, value: pair.value };
  }
  if (isSeq(node)) {
    const item = /^\d+$/.test(part)
      ? node.items[Number(part)]
      : node.items.find((each) => isMap(each) && NAMES.some((name) => each.get(name) === part));
    return item === undefined ? undefined : { value: item as Node };
  }
  return undefined;
}
