import type { AutoscalingPreview } from '@/api/types';
import type { Charted } from './DecisionChart';

/** A preview as a chart draws decisions: what really ran stands for what was ready. */
export function chartedOf({ metrics, points }: AutoscalingPreview): Charted[] {
  return points.map(({ at, wanted, ran, values }) => ({
    at,
    outcome: 'kept',
    current: wanted,
    wanted,
    ready: ran,
    metrics: metrics.map(({ name, target }, index) => ({ name, target, value: values[index] })),
  }));
}
