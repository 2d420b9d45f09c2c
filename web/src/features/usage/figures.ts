/** A number of hours, or of anything that is rarely whole. */
export function figure(value: number, tag: string): string {
  return new Intl.NumberFormat(tag, { maximumFractionDigits: value < 10 ? 2 : value < 1_000 ? 1 : 0 }).format(
    value,
  );
}

/** Money; a code that is no currency any more is shown as it is. */
export function money(value: number, currency: string, tag: string): string {
  return new Intl.NumberFormat(tag, { style: 'currency', currency }).format(value);
}
