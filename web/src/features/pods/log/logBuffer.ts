import type { LogSourceState } from '@/api/schema';

/** What a log shows as one row: a line that was written, or word of what became of a pod's log. */
export interface LogEntry {
  /** When it was written, where the log says so. */
  time?: string | undefined;
  text: string;
  /** Whose it is in a log of several pods: the key of a `LogPod`. */
  pod?: string;
  container?: string;
  note?: LogSourceState;
}

export interface LogLine extends LogEntry {
  /** Counts up over the whole log; stays with its line. */
  id: number;
}

/** Lines kept in the browser; older ones give way. */
export const MOST_LINES = 20_000;
/** Characters kept in the browser: lines may have 64 KiB each. */
export const MOST_CHARACTERS = 32 * 2 ** 20;

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;
// eslint-disable-next-line no-control-regex -- the escape character is what terminals' colours begin with
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

export function withoutEscapes(text: string): string {
  return text.replace(ESCAPES, '');
}

export function parseLine(raw: string): LogEntry {
  const match = STAMP.exec(raw);
  const text = match ? raw.slice(match[0].length) : raw;
  return { time: match?.[1], text: withoutEscapes(text) };
}

/** The newest lines of a log, in order. */
export class LogBuffer {
  lines: LogLine[] = [];
  /** Lines that gave way to newer ones. */
  dropped = 0;
  private next = 1;
  private characters = 0;

  append(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    const all = [...this.lines];
    for (const entry of entries) {
      all.push({ ...entry, id: this.next++ });
      this.characters += entry.text.length;
    }
    let over = Math.max(0, all.length - MOST_LINES);
    for (let index = 0; index < over; index += 1) this.characters -= all[index]?.text.length ?? 0;
    for (; this.characters > MOST_CHARACTERS && over < all.length - 1; over += 1) {
      this.characters -= all[over]?.text.length ?? 0;
    }
    this.dropped += over;
    this.lines = over > 0 ? all.slice(over) : all;
  }

  clear(): void {
    this.lines = [];
    this.dropped = 0;
    this.characters = 0;
  }
}

/** Splits a text where the query occurs, whatever its case: odd parts are the matches. */
export function splitMatches(text: string, query: string): string[] {
  if (!query) return [text];
  const parts: string[] = [];
  const haystack = text.toLowerCase();
  const needle = query.toLowerCase();
  let from = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + needle.length));
    from = at + needle.length;
  }
  parts.push(text.slice(from));
  return parts;
}

export function matches(text: string, query: string): boolean {
  return query !== '' && text.toLowerCase().includes(query.toLowerCase());
}
