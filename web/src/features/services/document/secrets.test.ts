import { expect, it } from 'vitest';
import { secretRanges } from './secrets';

const read = (text: string) => secretRanges(text).map(({ from, to }) => text.slice(from, to).trimEnd());

it('finds the values of secrets, however they are written, and nothing else', () => {
  const text = [
    'name: web',
    'spec:',
    '  env: [{ name: A, value: plain }]',
    '  secrets:',
    '    - name: KEPT',
    '    - name: ONE',
    '      value: hunter2 # not this',
    '    - { name: TWO, value: "a b" }',
    '    - name: cert',
    '      path: /etc/cert',
    '      value: |',
    '        first',
    '        second',
    '',
  ].join('\n');
  expect(read(text)).toEqual(['hunter2', '"a b"', '|\n        first\n        second']);
});

it('finds them in a text that is not right yet', () => {
  expect(read('spec:\n  image: [\n')).toEqual([]);
  expect(read('')).toEqual([]);
  expect(read('spec:\n  secrets: none\n')).toEqual([]);
  expect(read('spec:\n  secrets:\n    - name: A\n      value: b\n  image: "x\n')).toEqual(['b']);
});
