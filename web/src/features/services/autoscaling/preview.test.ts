import { describe, expect, it } from 'vitest';
import type { AutoscalingPreview } from '@/api/types';
import { chartedOf } from './preview';

describe('a preview', () => {
  it('is charted with each value at its metric, and gaps where nothing is known', () => {
    const at = '2026-11-28T08:00:00Z';
    const preview: AutoscalingPreview = {
      from: '2026-11-28T07:00:00Z',
      to: at,
      step_seconds: 15,
      metrics: [
        { name: 'cpu', target: 50 },
        { name: 'queue', target: 10 },
      ],
      points: [{ at, wanted: 6, ran: null, values: [53.3, null] }],
      would: null,
      ran: null,
      changes: [],
      gaps: [],
      saturated_minutes: 0,
    };
    expect(chartedOf(preview)).toEqual([
      {
        at,
        outcome: 'kept',
        current: 6,
        wanted: 6,
        ready: null,
        metrics: [
          { name: 'cpu', target: 50, value: 53.3 },
          { name: 'queue', target: 10, value: null },
        ],
      },
    ]);
  });
});
