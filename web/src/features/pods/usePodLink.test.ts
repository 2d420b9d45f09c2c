import { expect, it } from 'vitest';
import { parsePodParameter, podParameter } from './usePodLink';

it('a pod stands in the URL and comes back', () => {
  const address = { project: 'shop', environment: 'test', cluster: 'east', pod: 'web-1-x' };
  expect(parsePodParameter(podParameter(address))).toEqual(address);
});

it.each([null, '', 'shop', 'shop/test/east', 'shop/test/east/', 'a/b/c/d/e'])('%j is no pod', (text) => {
  expect(parsePodParameter(text)).toBeUndefined();
});
