/** The state of a list as it stands in the URL: filters, order, page. */
export interface ListState<F extends string> {
  filters: Partial<Record<F, string>>;
  sort: string | undefined;
  limit: number;
  cursor: string | undefined;
  /** Items before this page. */
  offset: number;
}

export const DEFAULT_LIMIT = 50;

export function readListState<F extends string>(search: URLSearchParams, names: readonly F[]): ListState<F> {
  const filters: Partial<Record<F, string>> = {};
  for (const name of names) {
    const value = search.get(name)?.trim();
    if (value) filters[name] = value;
  }
  const cursor = search.get('cursor') || undefined;
  return {
    filters,
    sort: search.get('sort') || undefined,
    limit: wholeNumber(search.get('limit'), 1, 500) ?? DEFAULT_LIMIT,
    cursor,
    offset: cursor ? (wholeNumber(search.get('from'), 0, Number.MAX_SAFE_INTEGER) ?? 0) : 0,
  };
}

/** What is not of the list stays in the URL; what is as by default is left out. */
export function writeListState<F extends string>(
  search: URLSearchParams,
  names: readonly F[],
  state: ListState<F>,
): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const name of [...names, 'sort', 'limit', 'cursor', 'from']) next.delete(name);
  for (const name of names) {
    const value = state.filters[name];
    if (value) next.set(name, value);
  }
  if (state.sort) next.set('sort', state.sort);
  if (state.limit !== DEFAULT_LIMIT) next.set('limit', String(state.limit));
  if (state.cursor) {
    next.set('cursor', state.cursor);
    if (state.offset > 0) next.set('from', String(state.offset));
  }
  return next;
}

/** The same list from its first page: what another filter or order asks for. */
export function firstPage<F extends string>(state: ListState<F>): ListState<F> {
  return { ...state, cursor: undefined, offset: 0 };
}

/** A column's order after a click on its head; none gives the server's own. */
export function nextSort(field: string, order: 'ascend' | 'descend' | null | undefined): string | undefined {
  if (!order) return undefined;
  return order === 'descend' ? `-${field}` : field;
}

export function sortOrder(sort: string | undefined, field: string): 'ascend' | 'descend' | null {
  if (sort === field) return 'ascend';
  return sort === `-${field}` ? 'descend' : null;
}

function wholeNumber(text: string | null, least: number, most: number): number | undefined {
  if (!text || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}
