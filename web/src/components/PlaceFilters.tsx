import { useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { ClusterPicker, ProjectPicker } from './Pickers';
import { OFFERED } from './useOffer';

interface Field {
  value: string | undefined;
  onChange: (value?: string) => void;
}

export function ProjectFilter({ value, onChange }: Field) {
  const { t } = useTranslation();
  return (
    <ProjectPicker
      allowClear
      value={value}
      onChange={(name) => onChange(name)}
      aria-label={t('word.project')}
      placeholder={t('word.project')}
    />
  );
}

export function ClusterFilter({ value, onChange }: Field) {
  const { t } = useTranslation();
  return (
    <ClusterPicker
      allowClear
      value={value}
      onChange={(name) => onChange(name)}
      aria-label={t('word.cluster')}
      placeholder={t('word.cluster')}
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
  const [open, setOpen] = useState(false);
  const projects = useQuery({
    ...read('/api/v1/projects', { params: { query: { limit: OFFERED, sort: 'name' } } }),
    enabled: open && !project,
    refetchInterval: false,
  });
  const one = useQuery({
    ...read('/api/v1/projects/{project}', { params: { path: { project: project ?? '' } } }),
    enabled: open && Boolean(project),
    refetchInterval: false,
  });
  const names = project
    ? one.data?.environments
    : projects.data?.items.flatMap(({ environments }) => environments);
  return (
    <Select
      allowClear
      {...field}
      onOpenChange={setOpen}
      disabled={disabled}
      aria-label={t('word.environment')}
      placeholder={t('word.environment')}
      loading={one.isFetching || projects.isFetching}
      options={[...new Set(names ?? [])].sort().map((value) => ({ value }))}
    />
  );
}
