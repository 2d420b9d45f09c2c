import { describe, expect, it } from 'vitest';
import { partLabel, rangeOf } from './range';

const now = new Date(2026, 10, 28, 10, 20).getTime();
const at = (...parts: [number, number, number?, number?]) =>
  new Date(parts[0], parts[1], parts[2] ?? 1, parts[3] ?? 0).getTime();

describe('a range of usage', () => {
  it('ends with the hour that it is, and begins where a day or month does', () => {
    const end = at(2026, 10, 28, 11);
    expect(rangeOf('24h', now)).toEqual({ key: '24h', from: at(2026, 10, 27, 11), to: end, every: 'hour' });
    expect(rangeOf('7d', now)).toEqual({ key: '7d', from: at(2026, 10, 22), to: end, every: 'day' });
    expect(rangeOf('12m', now)).toEqual({ key: '12m', from: at(2025, 11, 1), to: end, every: 'month' });
  });

  it('has both of the days that were chosen', () => {
    const range = rangeOf('2026-11-01..2026-11-15', now);
    expect([range.from, range.to, range.every]).toEqual([at(2026, 10, 1), at(2026, 10, 16), 'day']);
    expect(rangeOf('2026-11-03..2026-11-03', now).every).toBe('hour');
    expect(rangeOf('2026-01-01..2026-11-03', now).every).toBe('month');
  });

  it('is a week where the URL names none', () => {
    for (const text of [undefined, '', 'x', '2026-11-05..2026-11-01', '2026-02-31..2026-03-01']) {
      expect(rangeOf(text, now).key).toBe('7d');
    }
  });

  it('names its parts shortly', () => {
    expect(partLabel(at(2026, 10, 28), 'day', 'en')).toBe('28 Nov');
    expect(partLabel(at(2026, 10, 28), 'month', 'en')).toBe('Nov 2026');
  });
});
