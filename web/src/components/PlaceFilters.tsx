import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';

interface Field {
  value: string | undefined;
  onChange: (value?: string) => void;
}

/** So many are offered; whoever has more types a part of the name. */
const OFFERED = 50;

/** What is offered is read when it is looked for, and not before: pages don't pay for all that there is. */
function useOffer() {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  return {
    open,
    query: { q: typed || undefined, limit: OFFERED, sort: 'name' },
    rest: { enabled: open, refetchInterval: false as const, placeholderData: keepPreviousData },
    field: {
      allowClear: true,
      showSearch: { filterOption: false, onSearch: setTyped },
      onOpenChange: setOpen,
    },
  };
}

const named = (items: { name: string }[] | undefined) => (items ?? []).map(({ name }) => ({ value: name }));

export function ProjectFilter(field: Field) {
  const { t } = useTranslation();
  const offer = useOffer();
  const projects = useQuery({
    ...read('/api/v1/projects', { params: { query: offer.query } }),
    ...offer.rest,
  });
  return (
    <Select
      {...offer.field}
      {...field}
      aria-label={t('word.project')}
      placeholder={t('word.project')}
      loading={projects.isFetching}
      options={named(projects.data?.items)}
    />
  );
}

export function ClusterFilter(field: Field) {
  const { t } = useTranslation();
  const offer = useOffer();
  const clusters = useQuery({
    ...read('/api/v1/clusters', { params: { query: offer.query } }),
    ...offer.rest,
  });
  return (
    <Select
      {...offer.field}
      {...field}
      aria-label={t('word.cluster')}
      placeholder={t('word.cluster')}
      loading={clusters.isFetching}
      options={named(clusters.data?.items)}
    />
  );
}

/** The environments of a project; of those that are offered when none is chosen. */
export function EnvironmentFilter({
  project,
  disabled,
  ...field
}: Field & { project?: string; disabled?: boolean }) {
  const { t } = useTranslation();
  const offer = useOffer();
  const projects = useQuery({
    ...read('/api/v1/projects', { params: { query: { limit: OFFERED, sort: 'name' } } }),
    ...offer.rest,
    enabled: offer.open && !project,
  });
  const one = useQuery({
    ...read('/api/v1/projects/{project}', { params: { path: { project: project ?? '' } } }),
    enabled: offer.open && Boolean(project),
    refetchInterval: false,
  });
  const names = project
    ? one.data?.environments
    : projects.data?.items.flatMap(({ environments }) => environments);
  return (
    <Select
      allowClear
      {...field}
      onOpenChange={offer.field.onOpenChange}
      disabled={disabled}
      aria-label={t('word.environment')}
      placeholder={t('word.environment')}
      loading={one.isFetching || projects.isFetching}
      options={[...new Set(names ?? [])].sort().map((value) => ({ value }))}
    />
  );
}
