import { isImageReference } from '@/components/imageParts';
import { parseCpu, parseMemory } from '@/components/quantity';

/** Inline checks, as predicates; the server checks everything again. */
export const isDnsLabel = (text: string, most = 63): boolean =>
  text.length <= most && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(text);

export const isEnvironmentName = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);

export const isPortName = (text: string): boolean =>
  text.length <= 15 &&
  /[a-z]/.test(text) &&
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text) &&
  !text.includes('--');

export const isAbsolutePath = (text: string): boolean =>
  text.startsWith('/') && text.length > 1 && !text.endsWith('/') && !text.split('/').includes('..');

export const isCountOrPercent = (text: string): boolean => /^\d+%?$/.test(text);

export const isImage = (text: string): boolean => text.length <= 512 && isImageReference(text);

export const isCpu = (text: string): boolean => (parseCpu(text) ?? 0) > 0;

export const isMemory = (text: string): boolean => (parseMemory(text) ?? 0) > 0;

/** Without dashes, so that the last one in a claim's name parts service and volume. */
export const isVolumeName = (text: string): boolean => /^[a-z0-9]{1,20}$/.test(text);

export const isVolumeSize = (text: string): boolean => {
  const size = parseMemory(text) ?? 0;
  return size >= 2 ** 20 && size <= 2 ** 50;
};

/** A limit under its request would never be taken. */
export function isAtLeast(
  parse: (text: string) => number | undefined,
  limit: string,
  request: string,
): boolean {
  const most = parse(limit);
  const least = parse(request);
  return most === undefined || least === undefined || most >= least;
}
