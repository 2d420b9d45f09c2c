/** What a chart draws of a value over time; a gap where it is not known. */
export interface Point {
  at: number;
  value: number | undefined;
}

/**
 * A round number at or above what is shown, so that a scale ends at it: 1, 2, 2.5, 5 or 10 of a power of ten; of what
 * is counted in whole things 2, 4 or 10 of one, since half of it is a figure of the scale too.
 */
export function niceTop(most: number, whole = false): number {
  if (!(most > 0)) return whole ? 2 : 1;
  const power = 10 ** Math.max(Math.floor(Math.log10(most)), whole ? 0 : -Infinity);
  const steps = whole ? [2, 4, 10] : [1, 2, 2.5, 5, 10];
  const step = steps.find((each) => each * power >= most * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Beside the drawing, in pixels: room for the figures of the axes. */
const LEFT = 52;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 22;
/** A moment on the axis needs about so many pixels; more than so many moments say no more. */
const TICK_WIDTH = 120;
const TICKS_AT_MOST = 7;

/** Where a chart of so many pixels draws: over the time `from` to `to` (ms), and up to `top`. */
export interface Scale {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: (at: number) => number;
  y: (value: number) => number;
  /** The figures beside the drawing. */
  values: number[];
  /** The moments below it, from the first to the last. */
  times: number[];
}

interface Extent {
  width: number;
  height: number;
  from: number;
  to: number;
  /** The largest value that is drawn. */
  most: number;
  /** Whether the values are counts. */
  whole?: boolean;
}

/** The scale of a chart; its axis ends at a round number. */
export function scaleOf({ width, height, from, to, most, whole }: Extent): Scale {
  const top = niceTop(most, whole);
  const [right, bottom] = [Math.max(LEFT + 1, width - RIGHT), height - BOTTOM];
  const ticks = Math.min(TICKS_AT_MOST, Math.max(2, Math.floor((right - LEFT) / TICK_WIDTH) + 1));
  return {
    width,
    height,
    left: LEFT,
    right,
    top: TOP,
    bottom,
    x: (at) => LEFT + ((at - from) / Math.max(1, to - from)) * (right - LEFT),
    y: (value) => TOP + (1 - value / top) * (bottom - TOP),
    values: [0, top / 2, top],
    times: Array.from({ length: ticks }, (_, index) => from + ((to - from) * index) / (ticks - 1)),
  };
}

/** The path of an SVG through points, as lines, or as steps that hold each value until the next. */
export function pathOf(
  points: Point[],
  x: (at: number) => number,
  y: (value: number) => number,
  steps: boolean,
): string {
  let drawing = false;
  let path = '';
  for (const { at, value } of points) {
    if (value === undefined) {
      drawing = false;
      continue;
    }
    const place = [x(at), y(value)].map((each) => each.toFixed(1));
    if (!drawing) path += `M${place.join(' ')}`;
    else path += steps ? `H${place[0]}V${place[1]}` : `L${place.join(' ')}`;
    drawing = true;
  }
  return path;
}
