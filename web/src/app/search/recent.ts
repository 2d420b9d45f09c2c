import type { Found } from './useSearch';

const STORED = 'longshore.recent';
const KEPT = 6;

/** What was gone to from the search, newest first. */
export function readRecent(): Found[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORED) ?? '[]');
    return Array.isArray(value) ? (value as Found[]).filter(({ to, label }) => to && label) : [];
  } catch {
    return [];
  }
}

export function remember(found: Found): void {
  const others = readRecent().filter(({ to }) => to !== found.to);
  localStorage.setItem(STORED, JSON.stringify([found, ...others].slice(0, KEPT)));
}
