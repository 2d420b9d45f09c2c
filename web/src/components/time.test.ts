import { describe, expect, it } from 'vitest';
import { formatTime, relativeTime, shortDuration } from './time';

const now = Date.parse('2026-03-10T12:00:00Z');
const before = (seconds: number) => new Date(now - seconds * 1_000).toISOString();

describe('a time as its age', () => {
  it.each([
    [3, 'now'],
    [45, '45 sec. ago'],
    [60, '1 min. ago'],
    [59 * 60 + 59, '59 min. ago'],
    [3_600 * 5, '5 hr. ago'],
    [86_400, 'yesterday'],
    [86_400 * 12, '12 days ago'],
    [86_400 * 70, '2 mo. ago'],
    [86_400 * 800, '2 yr. ago'],
  ])('is for %i seconds: %s', (seconds, text) => {
    expect(relativeTime(before(seconds), now, 'en')).toBe(text);
  });

  it('speaks Chinese', () => {
    expect(relativeTime(before(180), now, 'zh-CN')).toBe('3分钟前');
  });

  it('takes a clock that runs a little ahead for now', () => {
    expect(relativeTime(before(-20), now, 'en')).toBe('now');
  });

  it('tells the future too', () => {
    expect(relativeTime(before(-86_400 * 30), now, 'en')).toBe('in 1 mo.');
  });

  it('says nothing of what is no time', () => {
    expect(relativeTime('yesterday', now, 'en')).toBe('');
    expect(formatTime('yesterday', 'moment', 'en')).toBe('');
  });
});

describe('a moment', () => {
  const at = new Date(2026, 10, 3, 14, 5, 9).getTime();

  it.each([
    ['moment', 'en', /^3 Nov 2026, 14:05:09 (GMT|UTC)/],
    ['minute', 'en', /^3 Nov, 14:05$/],
    ['day', 'en', /^3 Nov$/],
    ['month', 'en', /^Nov 2026$/],
    ['clock', 'en', /^14:05$/],
    ['moment', 'zh-CN', /^2026年11月3日.*14:05:09/],
    ['day', 'zh-CN', /^11月3日$/],
  ] as const)('as a %s in %s can be read one way only', (form, language, text) => {
    expect(formatTime(at, form, language)).toMatch(text);
  });

  it('has midnight as its first hour', () => {
    expect(formatTime(new Date(2026, 0, 1).getTime(), 'clock', 'en')).toBe('00:00');
  });
});

describe('a duration', () => {
  it.each([
    [-5, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_600_000 * 47, '47h'],
    [86_400_000 * 2, '2d'],
  ])('of %i ms is %s', (milliseconds, text) => {
    expect(shortDuration(milliseconds)).toBe(text);
  });
});
