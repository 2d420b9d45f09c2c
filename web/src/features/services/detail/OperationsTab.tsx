import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { read } from '@/api/client';
import type { ServiceAddress } from '@/api/types';
import { OperationTable } from '@/components/OperationTable';
import { useListState } from '@/components/useListState';

export function OperationsTab({ address }: { address: ServiceAddress }) {
  const list = useListState();
  const operations = useQuery({
    ...read('/api/v1/operations', {
      params: { query: { ...address, limit: list.limit, cursor: list.cursor } },
    }),
    placeholderData: keepPreviousData,
  });
  return <OperationTable query={operations} paging={list.paging} withTarget={false} />;
}
