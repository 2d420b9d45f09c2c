import { describe, expect, it } from 'vitest';
import { niceTop, pathOf, scaleOf } from './scale';

describe('a chart', () => {
  it('ends at a round number', () => {
    expect([0, 0.7, 1, 3, 12, 21, 26, 99].map((most) => niceTop(most))).toEqual([
      1, 1, 1, 5, 20, 25, 50, 100,
    ]);
  });

  it('counts whole things in whole numbers, also half way up', () => {
    for (let most = 0; most <= 1_200; most += 1) {
      const { values } = scaleOf({ width: 300, height: 200, from: 0, to: 1, most, whole: true });
      expect(values.every(Number.isInteger)).toBe(true);
      expect(values[2]).toBeGreaterThanOrEqual(most);
    }
    expect([0, 1, 3, 5, 12, 45, 120].map((most) => niceTop(most, true))).toEqual([2, 2, 4, 10, 20, 100, 200]);
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

  it('is drawn in the pixels that there are', () => {
    for (const width of [120, 300, 390, 760, 1_600]) {
      const scale = scaleOf({ width, height: 200, from: 1_000, to: 2_000, most: 3 });
      expect(scale.values).toEqual([0, 2.5, 5]);
      expect([scale.x(1_000), scale.x(2_000)]).toEqual([scale.left, scale.right]);
      expect([scale.y(0), scale.y(5)]).toEqual([scale.bottom, scale.top]);
      expect(scale.right).toBeLessThan(width);
      expect([scale.times[0], scale.times.at(-1)]).toEqual([1_000, 2_000]);
      const apart = (scale.right - scale.left) / (scale.times.length - 1);
      if (scale.times.length > 2) expect(apart).toBeGreaterThanOrEqual(100);
    }
  });

  it('has more moments the wider it is', () => {
    const moments = (width: number) => scaleOf({ width, height: 200, from: 0, to: 1, most: 1 }).times.length;
    expect([200, 340, 760, 4_000].map(moments)).toEqual([2, 3, 6, 7]);
  });
});
