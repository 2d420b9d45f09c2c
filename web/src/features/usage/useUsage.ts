import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { client, read, send } from '@/api/client';
import type { Page, UsageItem } from '@/api/types';
import type { Range } from './range';

/** The most sums that a chart is made of: what it lacks beyond is said. */
const PAGES = 10;
const PAGE = 500;

export interface Selection {
  project: string;
  from: string;
  to: string;
  time_zone: string;
}

export function selectionOf(project: string, { from, to }: Range): Selection {
  return {
    project,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Every sum by service and part of the range, page after page. */
function everyPage(selection: Selection, every: Range['every']) {
  const query = { ...selection, every, by: 'service' as const, limit: PAGE };
  return queryOptions({
    queryKey: ['/api/v1/usage', { params: { query } }, 'every page'],
    queryFn: async ({ signal }) => {
      const items: UsageItem[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const reply = await send<Page<UsageItem>>(
          client.GET('/api/v1/usage', { params: { query: { ...query, cursor } }, signal }),
        );
        items.push(...reply.items);
        cursor = reply.next_cursor ?? undefined;
        if (!cursor) break;
      }
      return { items, cut: cursor !== undefined };
    },
  });
}

/** What the chart, the sum and the table of a project show. */
export function useUsage(
  selection: Selection,
  every: Range['every'],
  paging: { limit: number; cursor?: string },
) {
  const total = { ...selection, every: 'total' as const };
  const chart = useQuery({ ...everyPage(selection, every), placeholderData: keepPreviousData });
  const sum = useQuery({
    ...read('/api/v1/usage', { params: { query: { ...total, by: 'project' } } }),
    placeholderData: keepPreviousData,
  });
  const services = useQuery({
    ...read('/api/v1/usage', { params: { query: { ...total, by: 'service', ...paging } } }),
    placeholderData: keepPreviousData,
  });
  const prices = useQuery(read('/api/v1/prices'));
  return { chart, sum, services, prices };
}
