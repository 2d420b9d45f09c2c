const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS: [limit: number, size: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [MINUTE, 1_000, 'second'],
  [HOUR, MINUTE, 'minute'],
  [DAY, HOUR, 'hour'],
  [30 * DAY, DAY, 'day'],
  [365 * DAY, 30 * DAY, 'month'],
  [Infinity, 365 * DAY, 'year'],
];

/** `3 minutes ago`; within ten seconds (and for clocks that run ahead) `now`. */
export function relativeTime(at: string | number, now: number, language: string): string {
  const passed = now - (typeof at === 'number' ? at : Date.parse(at));
  if (Number.isNaN(passed)) return '';
  const format = (numeric: 'auto' | 'always') =>
    new Intl.RelativeTimeFormat(language, { numeric, style: 'short' });
  if (passed > -MINUTE && passed < 10_000) return format('auto').format(0, 'second');
  const size = Math.abs(passed);
  for (const [limit, unitSize, unit] of STEPS) {
    // “Yesterday” says it well; “last month” could be yesterday.
    if (size < limit)
      return format(unit === 'day' ? 'auto' : 'always').format(-Math.trunc(passed / unitSize), unit);
  }
  return '';
}

const FORMS = {
  /** To the second, with the offset of the reader's time zone. */
  moment: {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'shortOffset',
  },
  minute: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  day: { month: 'short', day: 'numeric' },
  month: { year: 'numeric', month: 'short' },
  clock: { hour: '2-digit', minute: '2-digit' },
} satisfies Record<string, Intl.DateTimeFormatOptions>;

/**
 * A moment in the reader's time zone. Nobody has to ask whether the day or the month comes first: the month is a word,
 * `28 Nov 2026, 14:05`, and a day has 24 hours.
 */
export function formatTime(at: string | number, form: keyof typeof FORMS, language: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const locale = language === 'en' ? 'en-GB' : language;
  return new Intl.DateTimeFormat(locale, { ...FORMS[form], hourCycle: 'h23' }).format(date);
}

/** A length of time in its largest unit: `45s`, `12m`, `3h`, `6d`. */
export function shortDuration(milliseconds: number): string {
  const size = Math.max(0, milliseconds);
  if (size < MINUTE) return `${Math.floor(size / 1_000)}s`;
  if (size < HOUR) return `${Math.floor(size / MINUTE)}m`;
  if (size < 2 * DAY) return `${Math.floor(size / HOUR)}h`;
  return `${Math.floor(size / DAY)}d`;
}
