import { useCallback, useMemo } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { firstPage, type ListState, readListState, writeListState } from './listState';

export interface Paging {
  limit: number;
  cursor: string | undefined;
  offset: number;
  setLimit: (limit: number) => void;
  next: (cursor: string, shown: number) => void;
  previous: () => void;
}

/** Pages one came through, kept in the history entry; a reload in the middle goes back to the first page. */
interface Trail {
  pages?: { cursor: string | undefined; offset: number }[];
}

const NO_FILTERS: readonly never[] = [];

export function useListState<F extends string = never>(names: readonly F[] = NO_FILTERS) {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const location = useLocation();
  const state = useMemo(() => readListState(search, names), [search, names]);
  const pages = (location.state as Trail | null)?.pages;

  const go = useCallback(
    (next: ListState<F>, trail: Trail, replace: boolean) => {
      const query = writeListState(search, names, next).toString();
      void navigate({ search: query ? `?${query}` : '' }, { state: trail, replace });
    },
    [navigate, search, names],
  );

  return useMemo(() => {
    const setFilter = (name: F, value: string | undefined) =>
      go(firstPage({ ...state, filters: { ...state.filters, [name]: value } }), {}, true);
    const clearFilters = () => go(firstPage({ ...state, filters: {} }), {}, true);
    const setSort = (sort: string | undefined) => go(firstPage({ ...state, sort }), {}, true);
    const paging: Paging = {
      limit: state.limit,
      cursor: state.cursor,
      offset: state.offset,
      setLimit: (limit) => go(firstPage({ ...state, limit }), {}, true),
      next: (cursor, shown) =>
        go(
          { ...state, cursor, offset: state.offset + shown },
          { pages: [...(pages ?? []), { cursor: state.cursor, offset: state.offset }] },
          false,
        ),
      previous: () => {
        const before = pages?.at(-1);
        go(before ? { ...state, ...before } : firstPage(state), { pages: pages?.slice(0, -1) }, false);
      },
    };
    const query = { ...state.filters, sort: state.sort, limit: state.limit, cursor: state.cursor };
    return { ...state, query, setFilter, clearFilters, setSort, paging };
  }, [state, go, pages]);
}
