const SHOWN = 6;

/** What is called so comes before what begins so, has it in its name, or was found by something else, as an image. */
export function best<T extends { label: string }>(found: T[], text: string): T[] {
  const wanted = text.toLowerCase();
  const rank = ({ label }: T) => {
    const at = label.toLowerCase().indexOf(wanted);
    if (at < 0) return 3;
    if (at > 0) return 2;
    return label.length === wanted.length ? 0 : 1;
  };
  return found.toSorted((one, other) => rank(one) - rank(other)).slice(0, SHOWN);
}
