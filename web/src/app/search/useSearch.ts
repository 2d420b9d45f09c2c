import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Gap } from '@/api/types';
import { clusterPath, projectPath, servicePath } from '@/components/paths';
import { clusterTone, podTone, type Tone } from '@/components/status';
import { podParameter } from '@/features/pods/usePodLink';
import { isPermittedSomewhere } from '@/features/session/roles';
import { useSession } from '@/features/session/session';
import { MENU } from '../shell/menu';
import { best } from './best';

export type Group = 'pages' | 'services' | 'containers' | 'clusters' | 'projects';

export interface Found {
  group: Group;
  to: string;
  label: string;
  /** Where it is, or what tells it from others of its name. */
  hint: string;
  tone?: Tone;
}

/** So many of a kind are asked for, of which those are shown that fit best. */
const LIMIT = 24;

interface Source {
  group: Group;
  query: UseQueryResult<{ gaps?: Gap[] }>;
  found: Found[];
}

/** Looks for a text in everything; each kind answers for itself, so that one that is away hides no other. */
export function useSearch(text: string) {
  const { t } = useTranslation();
  const { grants } = useSession();
  const q = text.trim();
  const asks = (permission: string) => ({
    enabled: q !== '' && isPermittedSomewhere(grants, permission),
    refetchInterval: false as const,
  });
  const parameters = { params: { query: { q, limit: LIMIT } } };
  const services = useQuery({ ...read('/api/v1/services', parameters), ...asks('service:read') });
  const pods = useQuery({ ...read('/api/v1/pods', parameters), ...asks('pod:read') });
  const clusters = useQuery({ ...read('/api/v1/clusters', parameters), ...asks('cluster:read') });
  const projects = useQuery({ ...read('/api/v1/projects', parameters), ...asks('project:read') });

  const sources: Source[] = [
    {
      group: 'services',
      query: services,
      found: (services.data?.items ?? []).map(({ project, environment, name, status }) => ({
        group: 'services',
        to: servicePath({ project, environment, service: name }),
        label: name,
        hint: `${project}/${environment}`,
        tone: status.state,
      })),
    },
    {
      group: 'containers',
      query: pods,
      found: (pods.data?.items ?? []).map((pod) => {
        const { project, environment, cluster, name, ip } = pod;
        const search = new URLSearchParams({ q });
        if (project && environment)
          search.set('pod', podParameter({ project, environment, cluster, pod: name }));
        return {
          group: 'containers',
          to: `/containers?${search}`,
          label: name,
          hint: [cluster, ip].filter(Boolean).join(' · '),
          tone: podTone(pod),
        };
      }),
    },
    {
      group: 'clusters',
      query: clusters,
      found: (clusters.data?.items ?? []).map(({ name, region, state }) => ({
        group: 'clusters',
        to: clusterPath(name),
        label: name,
        hint: region,
        tone: clusterTone(state),
      })),
    },
    {
      group: 'projects',
      query: projects,
      found: (projects.data?.items ?? []).map(({ name, display_name }) => ({
        group: 'projects',
        to: projectPath(name),
        label: name,
        hint: display_name,
      })),
    },
  ];
  const pages = MENU.filter(({ permission }) => isPermittedSomewhere(grants, permission))
    .map(({ to, key }): Found => ({ group: 'pages', to, label: t(`menu.${key}`), hint: '' }))
    .filter(({ label }) => q !== '' && label.toLowerCase().includes(q.toLowerCase()));

  return {
    found: [...sources.flatMap((source) => best(source.found, q)), ...pages],
    searching: sources.some(({ query }) => query.isLoading),
    /** Kinds that did not answer. */
    silent: sources.filter(({ query }) => query.isError).map(({ group }) => group),
    /** Clusters whose part is missing or old. */
    gaps: sources.flatMap(({ query }) => query.data?.gaps ?? []),
    retry: () => {
      for (const { query } of sources) if (query.isError) void query.refetch();
    },
  };
}
