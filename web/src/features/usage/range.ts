import { formatTime } from '@/components/time';

/** How long the parts of a chart are. */
export type Every = 'hour' | 'day' | 'month';

export interface Range {
  /** As in the URL: a preset, or two days. */
  key: string;
  from: number;
  to: number;
  every: Every;
}

export const PRESETS = ['24h', '7d', '30d', '12m'] as const;
export type Preset = (typeof PRESETS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Midnight of the reader's day, so many days (and months) away. */
function midnight(at: number, days: number): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days).getTime();
}

function everyOf(from: number, to: number): Every {
  if (to - from <= 2 * DAY) return 'hour';
  return to - from <= 93 * DAY ? 'day' : 'month';
}

function ofPreset(key: Preset, now: number): Range {
  const to = (Math.floor(now / HOUR) + 1) * HOUR;
  switch (key) {
    case '24h':
      return { key, from: to - DAY, to, every: 'hour' };
    case '7d':
      return { key, from: midnight(now, -6), to, every: 'day' };
    case '30d':
      return { key, from: midnight(now, -29), to, every: 'day' };
    case '12m': {
      const day = new Date(now);
      const from = new Date(day.getFullYear(), day.getMonth() - 11, 1).getTime();
      return { key, from, to, every: 'month' };
    }
  }
}

/** The start of a day that is written as `2026-11-28`. */
function dayOf(text: string): number | undefined {
  const [year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []).slice(1).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day ? date.getTime() : undefined;
}

/** The range that the URL names, `7d` or `2026-11-01..2026-11-15` with both days; a week when it names none. */
export function rangeOf(text: string | undefined, now: number): Range {
  const preset = PRESETS.find((one) => one === text);
  if (preset) return ofPreset(preset, now);
  const [first, last] = (text ?? '').split('..').map(dayOf);
  if (first === undefined || last === undefined || last < first) return ofPreset('7d', now);
  const to = midnight(last, 1);
  return { key: text ?? '', from: first, to, every: everyOf(first, to) };
}

const LABELS = { hour: 'minute', day: 'day', month: 'month' } as const;

/** When a part of a chart begins, in as few words as tell it. */
export function partLabel(at: number, every: Every, tag: string): string {
  return formatTime(at, LABELS[every], tag);
}
