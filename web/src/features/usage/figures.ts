/** A number of hours, or of anything that is rarely whole; what is little is not shown as nothing. */
export function figure(value: number, tag: string): string {
  const precision: Intl.NumberFormatOptions =
    value < 1
      ? { maximumSignificantDigits: 2 }
      : { maximumFractionDigits: value < 10 ? 2 : value < 1_000 ? 1 : 0 };
  return new Intl.NumberFormat(tag, precision).format(value);
}

/** Money; a code that is no currency any more is shown as it is. */
export function money(value: number, currency: string, tag: string): string {
  return new Intl.NumberFormat(tag, { style: 'currency', currency }).format(value);
}
