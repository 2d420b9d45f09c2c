import { describe, expect, it } from 'vitest';
import { niceTop, pathOf } from './chart';

describe('a chart', () => {
  it('ends at a round number', () => {
    expect([0, 0.7, 1, 3, 12, 21, 26, 99].map(niceTop)).toEqual([1, 1, 1, 5, 20, 25, 50, 100]);
  });

  it('leaves a gap where nothing is known', () => {
    const points = [
      { at: 0, value: 1 },
      { at: 10, value: 2 },
      { at: 20, value: undefined },
      { at: 30, value: 3 },
      { at: 40, value: 3 },
    ];
    const same = (value: number) => value;
    expect(pathOf(points, same, same, false)).toBe('M0.0 1.0L10.0 2.0M30.0 3.0L40.0 3.0');
    expect(pathOf(points, same, same, true)).toBe('M0.0 1.0H10.0V2.0M30.0 3.0H40.0V3.0');
  });
});
