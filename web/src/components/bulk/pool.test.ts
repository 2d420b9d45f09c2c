import { expect, it } from 'vitest';
import { runPool } from './pool';

it('runs all, in order, and never more at once than it may', async () => {
  let running = 0;
  let most = 0;
  const began: number[] = [];
  const tasks = Array.from({ length: 11 }, (_, index) => async () => {
    began.push(index);
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  });
  await runPool(tasks, 4, () => false);
  expect(began).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(most).toBe(4);
});

it('begins nothing more once it is over', async () => {
  let done = 0;
  const tasks = Array.from({ length: 9 }, () => async () => {
    await Promise.resolve();
    done += 1;
  });
  await runPool(tasks, 2, () => done >= 3);
  expect(done).toBeGreaterThanOrEqual(3);
  expect(done).toBeLessThanOrEqual(4);
});
