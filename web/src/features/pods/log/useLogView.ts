import { useMemo, useState } from 'react';
import { type LogLine, matches } from './logBuffer';
import type { LogRecord } from './logRecord';

export interface LogView {
  query: string;
  onlyMatches: boolean;
  wrap: boolean;
  times: boolean;
  /** Pods whose lines are not shown. */
  hidden: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** What of a log is looked at: which lines, where in them a text is found, and whether they stand still. */
export function useLogView(record: LogRecord, version: number) {
  const [view, setView] = useState<LogView>({
    query: '',
    onlyMatches: false,
    wrap: true,
    times: false,
    hidden: NONE,
  });
  const [paused, setPaused] = useState<{ last: number }>();
  const [position, setPosition] = useState<number>();
  const { query, onlyMatches, hidden } = view;
  const { buffer } = record;

  const { lines, found } = useMemo(() => {
    void version;
    const isShown = ({ pod, text }: LogLine) =>
      !(pod !== undefined && hidden.has(pod)) && (!onlyMatches || !query || matches(text, query));
    const all = hidden.size > 0 || (onlyMatches && query) ? buffer.lines.filter(isShown) : buffer.lines;
    const hits = query ? all.flatMap(({ text }, index) => (matches(text, query) ? [index] : [])) : [];
    return { lines: all, found: hits };
  }, [buffer, version, query, onlyMatches, hidden]);
  const shown = useMemo(
    () => (paused ? lines.filter(({ id }) => id <= paused.last) : lines),
    [lines, paused],
  );
  const pause = (on: boolean) => setPaused(on ? { last: buffer.lines.at(-1)?.id ?? 0 } : undefined);

  return {
    view,
    change: (next: Partial<LogView>) => {
      setView({ ...view, ...next });
      setPosition(undefined);
    },
    toggle: (pod: string) => {
      const next = new Set(hidden);
      if (!next.delete(pod)) next.add(pod);
      setView({ ...view, hidden: next });
      setPosition(undefined);
    },
    lines,
    shown,
    found: found.length,
    position,
    current: position === undefined ? undefined : found[position],
    step: (by: 1 | -1) => {
      if (found.length === 0) return;
      pause(true);
      setPosition(((position ?? (by > 0 ? -1 : 0)) + by + found.length) % found.length);
    },
    paused: paused !== undefined,
    pause,
    reset: () => {
      setPaused(undefined);
      setPosition(undefined);
    },
  };
}
