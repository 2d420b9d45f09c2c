import type { UseQueryResult } from '@tanstack/react-query';
import type { Gap } from '@/api/types';

/** What a table shows of a list: its rows, and how reading them went. */
export interface Rows<T> {
  items: T[] | undefined;
  gaps?: Gap[];
  loading: boolean;
  error: unknown;
  onRetry: () => void;
}

/** The rows of a list that is read. */
export function rowsOf<T>(query: UseQueryResult<{ items: T[]; gaps?: Gap[] }, unknown>): Rows<T> {
  return {
    items: query.data?.items,
    gaps: query.data?.gaps,
    loading: query.isFetching,
    error: query.error,
    onRetry: () => void query.refetch(),
  };
}
