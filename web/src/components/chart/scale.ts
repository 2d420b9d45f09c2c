/** What a chart draws of a value over time; a gap where it is not known. */
export interface Point {
  at: number;
  value: number | undefined;
}

/** A round number at or above what is shown, so that a scale ends at it: 1, 2, 2.5, 5 or 10 of a power of ten. */
export function niceTop(most: number): number {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= most * (1 - 1e-9)) ?? 10;
  return step * power;
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
