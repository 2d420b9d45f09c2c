import { useListState } from './useListState';

interface Words<F extends string> {
  label: (name: F) => string;
  /** How a value reads; as it is when absent. */
  value?: (name: F, value: string) => string;
}

/** A list with filters: its state in the URL, and what `FilterBar` and the fields in it need. */
export function useFilters<F extends string>(names: readonly F[], words: Words<F>) {
  const list = useListState(names);
  const { filters, setFilter, clearFilters } = list;
  const chips = names.flatMap((name) => {
    const value = filters[name];
    return value ? [{ name, label: words.label(name), value: words.value?.(name, value) ?? value }] : [];
  });
  return {
    ...list,
    isFiltered: chips.length > 0,
    bar: { chips, onRemove: (name: string) => setFilter(name as F, undefined), onClear: clearFilters },
    /** A field of one value. */
    one: (name: F) => ({
      value: filters[name],
      onChange: (value?: string) => setFilter(name, value || undefined),
    }),
    /** A field of several values. */
    many: (name: F) => ({
      value: filters[name]?.split(',') ?? [],
      onChange: (values: string[]) => setFilter(name, values.join(',') || undefined),
    }),
  };
}

/** Each of several values in words. */
export function eachOf(value: string, word: (one: string) => string): string {
  return value.split(',').map(word).join(', ');
}
