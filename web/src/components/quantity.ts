/** Whole percents; nothing of nothing is 0. */
export function percent(part: number, whole: number): number {
  return whole > 0 ? Math.round((part / whole) * 100) : 0;
}

/** Millicores as cores: `500` is `0.5`. */
export function cores(millicores: number): string {
  const value = millicores / 1_000;
  return value >= 100 ? String(Math.round(value)) : String(Math.round(value * 100) / 100);
}

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes in the unit that leaves a number below 1,024. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < BINARY.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${size >= 100 || unit === 0 ? Math.round(size) : Math.round(size * 10) / 10} ${BINARY[unit]}`;
}

/** Claims with their sizes: `web-data (10 GiB), web-cache (1 GiB)`. */
export function claims(volumes: readonly { claim: string; bytes: number }[]): string {
  return volumes.map(({ claim, bytes: size }) => `${claim} (${bytes(size)})`).join(', ');
}

const CPU = /^(\d+(?:\.\d{1,3})?)$|^(\d+)m$/;
const MEMORY_UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A CPU quantity in millicores; undefined when it is none. */
export function parseCpu(text: string): number | undefined {
  const match = CPU.exec(text.trim());
  if (!match) return undefined;
  return match[2] !== undefined ? Number(match[2]) : Math.round(Number(match[1]) * 1_000);
}

/** A memory quantity in bytes; undefined when it is none. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (MEMORY_UNITS[match[2] ?? ''] ?? 1));
}
