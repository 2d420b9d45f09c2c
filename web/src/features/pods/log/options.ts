import type { LogOptions } from './feed';

export const DEFAULT_OPTIONS: LogOptions = {
  container: undefined,
  tail: 500,
  sinceSeconds: undefined,
  previous: false,
  follow: true,
};

export const TAILS = [100, 500, 2_000, 10_000];
export const SINCE = [60, 300, 900, 3_600, 21_600, 86_400];
