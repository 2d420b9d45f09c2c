import { expect, it } from 'vitest';
import { LogPods } from './logPods';
import { lineLabel } from './podLabel';

it('names a line by its pod, without what all pods of a service begin with', () => {
  const pods = new LogPods();
  const pod = pods.wrote('east', 'web-7c9d-x2k', 'app');
  const line = { id: 1, text: '', pod, container: 'app' };
  expect(lineLabel(line, pods, 'web-')).toEqual({
    text: 'east/7c9d-x2k',
    title: 'east/web-7c9d-x2k/app',
    colour: 0,
  });
  pods.wrote('east', 'web-7c9d-x2k', 'proxy');
  expect(lineLabel(line, pods, 'web-')?.text).toBe('east/7c9d-x2k/app');
  expect(lineLabel({ ...line, pod: 'west' }, pods, 'web-')?.text).toBe('west');
  expect(lineLabel({ ...line, pod: 'west/other' }, pods, 'web-')).toMatchObject({
    text: 'west/other/app',
    colour: undefined,
  });
  expect(lineLabel({ id: 1, text: '' }, pods, '')).toBeUndefined();
});
