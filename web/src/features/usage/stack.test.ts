import { describe, expect, it } from 'vitest';
import type { UsageItem } from '@/api/types';
import { heights, MOST_SERIES, stack } from './stack';

function item(day: number, service: string, pods: number, gap = 0): UsageItem {
  const time = (number: number) => `2026-11-${String(number).padStart(2, '0')}T00:00:00Z`;
  return {
    from: time(day),
    to: time(day + 1),
    project: 'shop',
    environment: 'test',
    service,
    cluster: null,
    pod_hours: pods,
    cpu_core_hours: pods,
    memory_gib_hours: pods,
    gpu_hours: 0,
    storage_gib_hours: 0,
    cpu_used_core_hours: null,
    memory_used_gib_hours: null,
    measured: 0,
    counted_hours: 24 - gap,
    gap_hours: gap,
    counted_until: time(day + 1),
    cost: null,
  };
}

const pods = ({ pod_hours }: UsageItem) => pod_hours;

describe('bars that stand on each other', () => {
  it('have a value for every part, and the largest service first', () => {
    const shown = stack([item(2, 'web', 4, 6), item(1, 'cart', 9), item(2, 'cart', 1, 6)], pods);
    expect(shown.series).toEqual([
      { name: 'test/cart', values: [9, 1] },
      { name: 'test/web', values: [0, 4] },
    ]);
    expect(shown.parts.map(({ gap }) => gap)).toEqual([0, 0.25]);
    expect(heights(shown)).toEqual([9, 5]);
  });

  it('put together what would be too many to tell apart, and lose nothing', () => {
    const many = Array.from({ length: 12 }, (_, index) => item(1, `s${index}`, index + 1));
    const shown = stack(many, pods);
    expect(shown.series).toHaveLength(MOST_SERIES);
    expect(shown.series.at(-1)).toEqual({ name: undefined, values: [1 + 2 + 3 + 4 + 5] });
    expect(heights(shown)).toEqual([78]);
  });

  it('are none of nothing', () => {
    expect(stack([], pods)).toEqual({ parts: [], series: [] });
  });
});
