import type { ServiceAddress } from '@/api/types';

export function servicePath({ project, environment, service }: ServiceAddress, tab?: string): string {
  const path = `/projects/${project}/environments/${environment}/services/${service}`;
  return tab ? `${path}/${tab}` : path;
}

export function clusterPath(cluster: string): string {
  return `/clusters/${cluster}`;
}

export function projectPath(project: string, tab?: string): string {
  return tab ? `/projects/${project}/${tab}` : `/projects/${project}`;
}
