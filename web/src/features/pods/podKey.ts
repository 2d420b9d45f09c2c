import type { Pod } from '@/api/types';

/** Names a pod over all clusters. */
export function podKey({ cluster, namespace, name }: Pick<Pod, 'cluster' | 'namespace' | 'name'>): string {
  return `${cluster}/${namespace}/${name}`;
}
