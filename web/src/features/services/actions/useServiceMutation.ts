import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import type { Service, ServiceAddress } from '@/api/types';

export const SERVICE = '/api/v1/projects/{project}/environments/{environment}/services/{service}';

export function pathOf(service: Service): ServiceAddress {
  return { project: service.project, environment: service.environment, service: service.name };
}

/** A change of a service: on success everything that shows it is read again. */
export function useServiceMutation<V, R>(
  change: (values: V) => Promise<R>,
  done: string,
  onDone: () => void,
) {
  const queries = useQueryClient();
  const { message } = App.useApp();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(done);
      onDone();
    },
  });
}
