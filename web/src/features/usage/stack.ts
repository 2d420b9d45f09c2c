import type { UsageItem } from '@/api/types';

/** A part of the range, one after the other. */
export interface Part {
  from: number;
  to: number;
  /** How much of it could not be counted, 0 to 1. */
  gap: number;
}

export interface Series {
  /** None for all that is not shown by itself. */
  name: string | undefined;
  /** One for each part. */
  values: number[];
}

export interface Stack {
  parts: Part[];
  /** Most first; at most so many as can be told apart. */
  series: Series[];
}

export const MOST_SERIES = 8;

const nameOf = ({ environment, service }: UsageItem): string => `${environment ?? ''}/${service ?? ''}`;
const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);

/** Sums by service and part of a range, as bars that stand on each other. */
export function stack(items: UsageItem[], value: (item: UsageItem) => number): Stack {
  const starts = [...new Set(items.map(({ from }) => from))].sort();
  const position = new Map(starts.map((from, index) => [from, index]));
  const parts = starts.map((from) => {
    const inside = items.filter((item) => item.from === from);
    const gap = sum(inside.map(({ gap_hours }) => gap_hours));
    const all = gap + sum(inside.map(({ counted_hours }) => counted_hours));
    return {
      from: Date.parse(from),
      to: Date.parse(inside[0]?.to ?? from),
      gap: all > 0 ? gap / all : 0,
    };
  });
  const byName = new Map<string, number[]>();
  for (const item of items) {
    const values = byName.get(nameOf(item)) ?? starts.map(() => 0);
    const index = position.get(item.from) ?? 0;
    values[index] = (values[index] ?? 0) + value(item);
    byName.set(nameOf(item), values);
  }
  const series: Series[] = [...byName]
    .map(([name, values]) => ({ name, values }))
    .sort((a, b) => sum(b.values) - sum(a.values) || a.name.localeCompare(b.name));
  if (series.length <= MOST_SERIES) return { parts, series };
  const shown = series.slice(0, MOST_SERIES - 1);
  const rest = series.slice(MOST_SERIES - 1);
  const values = starts.map((_, index) => sum(rest.map((one) => one.values[index] ?? 0)));
  return { parts, series: [...shown, { name: undefined, values }] };
}

/** What all of a part's bars reach up to. */
export function heights({ parts, series }: Stack): number[] {
  return parts.map((_, index) => sum(series.map(({ values }) => values[index] ?? 0)));
}
