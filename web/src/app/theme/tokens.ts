/** The colours of the portal, for light and dark. Every other file names them, none repeats them. */
export interface Palette {
  /** Behind everything. */
  canvas: string;
  /** Cards, tables, forms. */
  surface: string;
  /** Table heads, code, wells in a surface. */
  sunken: string;
  hover: string;
  line: string;
  lineStrong: string;
  text: string;
  textMuted: string;
  /** Old numbers and hints; still readable on `surface` and `sunken`. */
  textFaint: string;
  brand: string;
  brandHover: string;
  brandSoft: string;
  onBrand: string;
  accent: string;
  rail: string;
  railText: string;
  railTextActive: string;
  railActive: string;
  running: string;
  runningSoft: string;
  progressing: string;
  progressingSoft: string;
  degraded: string;
  degradedSoft: string;
  failed: string;
  failedSoft: string;
  stopped: string;
  stoppedSoft: string;
  unknown: string;
  unknownSoft: string;
  added: string;
  removed: string;
  mark: string;
}

export const light: Palette = {
  canvas: '#f5f4f0',
  surface: '#ffffff',
  sunken: '#f8f7f4',
  hover: '#f3f2ed',
  line: '#e6e3db',
  lineStrong: '#d2cec3',
  text: '#1b2427',
  textMuted: '#4d585c',
  textFaint: '#5f686b',
  brand: '#0f5468',
  brandHover: '#0b6f8a',
  brandSoft: '#e3eff2',
  onBrand: '#ffffff',
  accent: '#f0b36a',
  rail: '#10262e',
  railText: '#b5c6cb',
  railTextActive: '#ffffff',
  railActive: '#1d3d48',
  running: '#1a7346',
  runningSoft: '#e5f3ea',
  progressing: '#1d5fc4',
  progressingSoft: '#e6eefb',
  degraded: '#9c4a06',
  degradedSoft: '#fcefdd',
  failed: '#b3261e',
  failedSoft: '#fce9e7',
  stopped: '#4f565b',
  stoppedSoft: '#eeedea',
  unknown: '#5f666b',
  unknownSoft: '#f0efec',
  added: '#e3f4e8',
  removed: '#fdeae8',
  mark: '#ffe7a3',
};

export const dark: Palette = {
  canvas: '#0e1518',
  surface: '#151e22',
  sunken: '#111a1d',
  hover: '#1b262b',
  line: '#263338',
  lineStrong: '#37474e',
  text: '#e4eaec',
  textMuted: '#a9b5b9',
  textFaint: '#8d999d',
  brand: '#5cb6cc',
  brandHover: '#7fcadb',
  brandSoft: '#17323b',
  onBrand: '#08191e',
  accent: '#f0b36a',
  rail: '#0a1114',
  railText: '#9fb0b5',
  railTextActive: '#ffffff',
  railActive: '#18303a',
  running: '#5cc98d',
  runningSoft: '#12301f',
  progressing: '#7fb0ff',
  progressingSoft: '#16294a',
  degraded: '#f0a55a',
  degradedSoft: '#3a2610',
  failed: '#ff8a80',
  failedSoft: '#3f1917',
  stopped: '#a7b0b4',
  stoppedSoft: '#222b2f',
  unknown: '#97a1a6',
  unknownSoft: '#20292d',
  added: '#12301f',
  removed: '#3f1917',
  mark: '#5a4a14',
};

export const fonts = {
  text: "'Inter Variable', -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif",
  code: "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, 'Noto Sans Mono CJK SC', monospace",
};

/** `textMuted` becomes `--text-muted`. */
export function variableName(token: string): string {
  return `--${token.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
