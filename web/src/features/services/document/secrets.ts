import { isMap, isNode, isSeq, parseDocument } from 'yaml';

/** Where the values of secrets stand in the text of a service. */
export function secretRanges(text: string): { from: number; to: number }[] {
  const secrets = parseDocument(text).getIn(['spec', 'secrets'], true);
  if (!isSeq(secrets)) return [];
  return secrets.items.flatMap((secret) => {
    const value = isMap(secret) ? secret.get('value', true) : undefined;
    if (!isNode(value) || !value.range) return [];
    const [from, to] = value.range;
    return from < to ? [{ from, to }] : [];
  });
}
