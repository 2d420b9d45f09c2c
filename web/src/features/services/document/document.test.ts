import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '@/api/types';
import { serviceToValues } from '../form/convert';
import { defaultValues, type ServiceValues } from '../form/values';
import { placeServerErrors, readText } from './read';
import { comparedText, writeText } from './write';

const spec: ServiceSpec = {
  image: 'registry.example.com/shop/web:2',
  command: ['sh', '-c', 'set -e\nexec /bin/web\n'],
  env: [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'PORT', value: '8080' },
  ],
  config_files: [{ path: '/etc/web.yaml', content: 'a: 1\n# kept\n' }],
  secrets: [{ name: 'PASSWORD', fingerprint: 'ab12' }],
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  probes: {
    readiness: {
      check: { type: 'http', path: '/ready', port: 8080 },
      initial_delay_seconds: 1,
      period_seconds: 2,
      timeout_seconds: 3,
      failure_threshold: 4,
    },
  },
  host_aliases: [{ ip: '10.0.0.1', hostnames: ['db', 'db.internal'] }],
  annotations: { 'example.com/team': 'shop', 'example.com/on': 'yes' },
};

const values: ServiceValues = serviceToValues(
  {
    project: 'shop',
    environment: 'production',
    name: 'web',
    description: 'the shop',
    replicas: 5,
    placement: {
      strategy: { type: 'weights', weights: { east: 2 } },
      clusters: ['east'],
      min_per_cluster: 1,
    },
  },
  spec,
);

/** Kinds of the problems of a text, with their lines. */
function problemsOf(text: string, creating = true): string[] {
  const reading = readText(text, creating, defaultValues());
  return reading.problems.map(({ kind, from }) => `${reading.lineOf(from)} ${kind}`);
}

const LEAST = 'name: web\nspec:\n  image: nginx:1\n';

describe('a service as text', () => {
  it('comes back as it was, also what the text does not hold', () => {
    const typed = structuredClone(values);
    typed.probes.liveness = { ...typed.probes.liveness, path: '/typed', enabled: false };
    typed.pinned = { east: 3 };
    if (typed.secrets[0]) typed.secrets[0].value = 'typed';
    for (const creating of [true, false]) {
      const reading = readText(writeText(typed, creating), creating, typed);
      expect(reading.problems).toEqual([]);
      expect(reading.values).toEqual(typed);
    }
  });

  it('leaves out what stands for nothing', () => {
    const text = writeText({ ...defaultValues(), name: 'web', image: 'nginx:1' }, true);
    expect(text).toContain('name: web');
    expect(text).not.toMatch(/env|secrets|annotations|description|\[\]|\{\}/);
    expect(readText(text, true, defaultValues()).problems).toEqual([]);
  });

  it('keeps comments, order and spelling of what did not change', () => {
    const text = [
      '# the shop',
      'spec:',
      '  image: "nginx:1" # pinned',
      '  env:',
      '    # how much it says',
      '    - { name: LEVEL, value: info }',
      '    - name: B',
      "      value: 'two'",
      'name: web',
      '',
    ].join('\n');
    const read = readText(text, true, defaultValues()).values;
    if (!read) throw new Error('nothing is wrong with it');
    expect(writeText(read, true, text)).toContain('# the shop\nspec:\n  image: "nginx:1" # pinned\n  env:\n');
    const changed = structuredClone(read);
    changed.image = 'nginx:2';
    changed.env = [{ name: 'LEVEL', value: 'debug' }, ...changed.env.slice(1), { name: 'C', value: '3' }];
    const again = writeText(changed, true, text);
    expect(again).toContain('image: "nginx:2" # pinned');
    expect(again).toContain('# how much it says\n    - { name: LEVEL, value: debug }');
    expect(again).toContain("value: 'two'");
    expect(again.startsWith('# the shop')).toBe(true);
    expect(readText(again, true, changed).values).toEqual(changed);
    const fewer = { ...changed, env: [] };
    expect(writeText(fewer, true, again)).not.toContain('LEVEL');
  });

  it('never shows a secret in a difference', () => {
    const typed = structuredClone(values);
    if (typed.secrets[0]) typed.secrets[0].value = 'hunter2';
    expect(comparedText(typed)).not.toContain('hunter2');
    expect(comparedText(typed)).not.toBe(comparedText(values));
  });
});

describe('problems of a text', () => {
  it('are none in the least that makes a service', () => {
    expect(problemsOf(LEAST)).toEqual([]);
    expect(problemsOf('spec: {image: "nginx:1"}', false)).toEqual([]);
  });

  it('are marked where they stand', () => {
    expect(problemsOf('name: web\nspec:\n  image: nginx:1\n  imagee: x\n')).toEqual(['4 unknown_field']);
    expect(problemsOf('name: web\nspec:\n  env:\n    - value: x\n')).toEqual(['4 missing', '3 missing']);
    expect(problemsOf(`${LEAST}  env:\n    - name: A\n      value: 8080\n`)).toEqual(['6 quote']);
    expect(problemsOf(`${LEAST}  ports:\n    - {name: http, port: 70000}\n`)).toEqual(['5 at_most']);
    expect(problemsOf(`${LEAST}  ports:\n    - {name: http, port: http}\n`)).toEqual(['5 number']);
    expect(problemsOf(`${LEAST}  command: run\n`)).toEqual(['4 list']);
    expect(problemsOf(`${LEAST}replicas: -1\n`)).toEqual(['4 at_least']);
    expect(problemsOf(`${LEAST}placement:\n  strategy: {type: best}\n`)).toEqual(['5 one_of']);
    expect(problemsOf(`${LEAST}kind: Pod\n`)).toEqual(['4 one_of']);
    expect(problemsOf('')).toEqual(['1 missing', '1 missing']);
    expect(problemsOf('- a')).toEqual(['1 map']);
  });

  it('of its syntax are told first', () => {
    expect(problemsOf('name: web\nspec: {image: "nginx\n')).not.toEqual([]);
    expect(problemsOf('name: web\nname: twice\nspec: {image: a}\n')).toEqual(['2 syntax']);
    expect(problemsOf('name: a\n---\nname: b\n')).not.toEqual([]);
  });

  it('are also what would go without a word', () => {
    const pinned = `${LEAST}replicas: 5\nplacement:\n  strategy: {type: pinned, replicas: {east: 2}}\n`;
    expect(problemsOf(pinned)).toEqual(['4 lost']);
    expect(problemsOf(`${LEAST}  secrets:\n    - {name: A, fingerprint: ab}\n`)).toEqual(['5 lost']);
  });

  it('do not come of an alias', () => {
    const text = `${LEAST}  command: &c [a, b]\n  args: *c\n`;
    expect(readText(text, true, defaultValues()).values?.args).toBe('a\nb');
    expect(problemsOf(`${LEAST}  command: &c [*c]\n`)).toEqual(['4 text']);
  });

  it('that the server found stand at their lines until these are changed', () => {
    const text = writeText(values, true);
    const reading = readText(text, true, values);
    const lines = text.split('\n');
    const errors = [
      { field: 'spec.env[1].name', message: 'taken' },
      { field: 'env[0].value', message: 'too long' },
      { field: 'placement.strategy.weights.east', message: 'no such cluster' },
      { field: 'spec.stop.nothing_here', message: 'somewhere below' },
    ];
    const placed = placeServerErrors(reading, errors, reading.document);
    const at = (text_: string) => lines.findIndex((line) => line.includes(text_)) + 1;
    expect(placed.map(({ from }) => reading.lineOf(from))).toEqual([
      at('name: PORT'),
      at('value: info'),
      at('east: 2'),
      at('grace_period_seconds'),
    ]);
    const mended = readText(text.replace('PORT', 'PORT_'), true, values);
    expect(placeServerErrors(mended, errors, reading.document)).toHaveLength(3);
  });
});
