import { useQuery } from '@tanstack/react-query';
import { read } from '@/api/client';
import type { ServiceAddress } from '@/api/types';
import { EventTable } from '@/features/pods/EventTable';

export function EventsTab({ address }: { address: ServiceAddress }) {
  const events = useQuery(
    read('/api/v1/projects/{project}/environments/{environment}/services/{service}/events', {
      params: { path: address },
    }),
  );
  return <EventTable query={events} />;
}
