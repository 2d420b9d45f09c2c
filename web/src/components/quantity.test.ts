import { describe, expect, it } from 'vitest';
import { bytes, cores, parseCpu, parseMemory, percent } from './quantity';

describe('quantities that are shown', () => {
  it('are short', () => {
    expect(cores(500)).toBe('0.5');
    expect(cores(24_000)).toBe('24');
    expect(cores(123_456)).toBe('123');
    expect(bytes(0)).toBe('0 B');
    expect(bytes(1_536)).toBe('1.5 KiB');
    expect(bytes(96 * 2 ** 30)).toBe('96 GiB');
  });

  it('are no share of nothing', () => {
    expect(percent(5, 0)).toBe(0);
    expect(percent(1, 3)).toBe(33);
  });
});

describe('quantities that are typed', () => {
  it.each([
    ['1', 1_000],
    ['0.5', 500],
    ['250m', 250],
    [' 2 ', 2_000],
    ['', undefined],
    ['1.5m', undefined],
    ['-1', undefined],
    ['one', undefined],
  ])('CPU %j is %j millicores', (text, value) => {
    expect(parseCpu(text)).toBe(value);
  });

  it.each([
    ['1Gi', 2 ** 30],
    ['512Mi', 512 * 2 ** 20],
    ['1G', 1e9],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1024', 1_024],
    ['1Zi', undefined],
    ['1 Gi', undefined],
    ['', undefined],
  ])('memory %j is %j bytes', (text, value) => {
    expect(parseMemory(text)).toBe(value);
  });
});
