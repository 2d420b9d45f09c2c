import { expect, it } from 'vitest';
import type { Operation } from '@/api/types';
import { lastBefore } from './lastBefore';

const at = (id: string, created_at: string) => ({ id, created_at }) as Operation;

it('is the newest that began before it went wrong, in whatever order they come', () => {
  const operations = [
    at('after', '2026-03-10T12:00:02Z'),
    at('first', '2026-03-10T11:00:00Z'),
    at('suspect', '2026-03-10T11:59:30Z'),
    at('second', '2026-03-10T11:30:00Z'),
  ];
  expect(lastBefore(operations, '2026-03-10T12:00:00Z')?.id).toBe('suspect');
  expect(lastBefore(operations, '2026-03-10T12:00:01.5Z')?.id).toBe('after');
  expect(lastBefore(operations, '2026-03-10T10:00:00Z')).toBeUndefined();
  expect(lastBefore([], '2026-03-10T10:00:00Z')).toBeUndefined();
});
