import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import type { PlacementReason } from '@/api/types';

const BOUNDS = [
  'minimum',
  'capacity',
  'spread_limit',
  'given_back',
  'max_moves',
  'returned',
  'kept',
  'not_ready',
  'cordoned',
  'taint',
  'avoid',
  'gpus',
  'excluded',
] as const;
type Bound = (typeof BOUNDS)[number];

/** Why a cluster holds so many replicas: the numbers that went in, and what bound the result. */
export function PlacementWhy({ reason }: { reason: PlacementReason }) {
  const { t } = useTranslation();
  const { strategy, weight, capacity, previous } = reason;
  const parts: string[] = [];
  if (strategy === 'pinned') parts.push(t('placement.why_pinned'));
  else if (strategy === 'weights') parts.push(t('placement.why_weight', { weight }));
  if (capacity !== null && capacity !== undefined) parts.push(t('placement.why_room', { count: capacity }));
  else parts.push(t('placement.why_room_unknown'));
  if (previous > 0) parts.push(t('placement.why_previous', { count: previous }));
  for (const bound of reason.bounds ?? []) {
    const known = BOUNDS.find((each): each is Bound => each === bound);
    parts.push(known ? t(`placement.bound_${known}`) : bound);
  }
  return (
    <Tooltip title={reason.message}>
      <span className="muted">{parts.join(' · ')}</span>
    </Tooltip>
  );
}
