import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import { resolve, type Schema } from './schema';

/** What is wrong with a text, and where. The words are `yaml.problem.{kind}`. */
export interface Problem {
  from: number;
  to: number;
  kind:
    | 'syntax'
    | 'unknown_field'
    | 'missing'
    | 'text'
    | 'quote'
    | 'number'
    | 'list'
    | 'map'
    | 'one_of'
    | 'at_least'
    | 'at_most'
    | 'lost'
    | 'server';
  values: Record<string, string | number>;
}

type Add = (node: Node | null | undefined, kind: Problem['kind'], values?: Problem['values']) => void;

/** Where the text differs from what the schema allows. */
export function checkDocument(document: Document, schema: Schema): Problem[] {
  const problems: Problem[] = [];
  const add: Add = (node, kind, values = {}) => {
    const [from, to] = node?.range ?? document.contents?.range ?? [0, 0];
    problems.push({ from, to, kind, values });
  };
  checkNode(document, document.contents, schema, document.contents, add);
  return problems;
}

/** `at` is what to mark where there is no node. */
function checkNode(
  document: Document,
  given: Node | null,
  wanted: Schema,
  at: Node | null | undefined,
  add: Add,
): void {
  const node = isAlias(given) ? (given.resolve(document) ?? null) : given;
  const schema = resolve(wanted);
  if (schema.oneOf) {
    const chosen = chooseVariant(node, schema.oneOf);
    if (chosen) checkNode(document, node, chosen, at, add);
    else if (isMap(node)) {
      const type = node.get('type', true);
      add(isScalar(type) ? type : node, 'one_of', { values: variantNames(schema.oneOf).join(', ') });
    } else add(node ?? at, 'map');
    return;
  }
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const isNull = node === null || (isScalar(node) && node.value === null);
  // A key with nothing after it stands for its default, as long as nothing is asked of it.
  if (isNull && (types.includes('null') || types.includes('object') || types.includes('array'))) {
    for (const name of schema.required ?? []) add(node ?? at, 'missing', { name });
    return;
  }
  const type = types.find((each) => each !== 'null');
  switch (type) {
    case 'object':
      return checkMap(document, node, schema, at, add);
    case 'array':
      if (!isSeq(node)) return add(node ?? at, 'list');
      for (const item of node.items) checkNode(document, item as Node, schema.items ?? {}, node, add);
      return;
    case 'string':
      if (!isScalar(node) || isNull) return add(node ?? at, 'text');
      if (typeof node.value !== 'string') return add(node, 'quote', { value: written(node) });
      if (schema.enum && !schema.enum.includes(node.value))
        add(node, 'one_of', { values: schema.enum.join(', ') });
      return;
    case 'integer':
      if (!isScalar(node) || !Number.isSafeInteger(node.value)) return add(node ?? at, 'number');
      if (schema.minimum !== undefined && Number(node.value) < schema.minimum)
        add(node, 'at_least', { least: schema.minimum });
      if (schema.maximum !== undefined && Number(node.value) > schema.maximum)
        add(node, 'at_most', { most: schema.maximum });
  }
}

function checkMap(
  document: Document,
  node: Node | null,
  schema: Schema,
  at: Node | null | undefined,
  add: Add,
): void {
  if (!isMap(node)) return add(node ?? at, 'map');
  const { properties, additionalProperties } = schema;
  const seen = new Set<string>();
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    seen.add(name);
    const known = properties?.[name];
    if (known) checkNode(document, pair.value, known, pair.key, add);
    else if (typeof additionalProperties === 'object')
      checkNode(document, pair.value, additionalProperties, pair.key, add);
    else if (properties)
      add(pair.key, 'unknown_field', { name, known: Object.keys(properties).sort().join(', ') });
  }
  for (const name of schema.required ?? []) if (!seen.has(name)) add(node, 'missing', { name });
}

/** Of alternatives, the one that the node is meant to be: by its `type`, or null, or the only one there is. */
function chooseVariant(node: Node | null, variants: Schema[]): Schema | undefined {
  const candidates = variants.map(resolve);
  if (node === null || (isScalar(node) && node.value === null)) {
    const nothing = candidates.find(({ type }) => type === 'null');
    if (nothing) return nothing;
  }
  const things = candidates.filter(({ type }) => type !== 'null');
  if (things.length === 1) return things[0];
  const tag = isMap(node) ? node.get('type') : undefined;
  return things.find(({ properties }) => properties?.type?.enum?.includes(String(tag)));
}

function variantNames(variants: Schema[]): string[] {
  return variants.flatMap((variant) => resolve(variant).properties?.type?.enum ?? []);
}

function written(node: Scalar): string {
  return node.source ?? String(node.value);
}
