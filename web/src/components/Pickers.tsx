import { useQuery } from '@tanstack/react-query';
import { Select, type SelectProps } from 'antd';
import { read } from '@/api/client';
import { useOffer } from './useOffer';

// An alias, since antd's options have an index signature that interfaces lack.
export type ProjectOption = { value: string; label: string; environments: string[] };

/** A project out of all that one may see; its name is the value. */
export function ProjectPicker(props: SelectProps<string, ProjectOption>) {
  const offer = useOffer();
  const projects = useQuery({
    ...read('/api/v1/projects', { params: { query: offer.query } }),
    ...offer.rest,
  });
  return (
    <Select<string, ProjectOption>
      {...offer.select(projects)}
      {...props}
      optionLabelProp="value"
      options={projects.data?.items.map(({ name, display_name, environments }) => ({
        value: name,
        label: display_name && display_name !== name ? `${name} · ${display_name}` : name,
        environments,
      }))}
    />
  );
}

type ClusterOption = { value: string; label: string };

interface ClusterProps<V> extends SelectProps<V, ClusterOption> {
  /** Only these, where there are any. */
  within?: string[];
  /** Not these. */
  without?: string[];
}

/** A cluster, or several of them, out of all. */
export function ClusterPicker<V = string>({ within = [], without = [], ...props }: ClusterProps<V>) {
  const offer = useOffer();
  const bound = within.length > 0;
  const clusters = useQuery({
    ...read('/api/v1/clusters', { params: { query: offer.query } }),
    ...offer.rest,
    enabled: offer.open && !bound,
  });
  const options = bound
    ? within.filter((name) => name.includes(offer.typed)).map((name) => ({ value: name, label: name }))
    : clusters.data?.items
        .filter(({ state }) => state !== 'removing')
        .map(({ name, region }) => ({ value: name, label: `${name} · ${region}` }));
  return (
    <Select<V, ClusterOption>
      {...offer.select(clusters)}
      {...props}
      optionLabelProp="value"
      options={options?.filter(({ value }) => !without.includes(value))}
    />
  );
}
