import { useQuery } from '@tanstack/react-query';
import { Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Service } from '@/api/types';
import { ChangeList } from '@/components/ChangeList';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { UnifiedDiff } from '@/components/UnifiedDiff';
import { pathOf } from '../actions/useServiceMutation';

interface Props {
  service: Service;
  from: number;
  to: number;
}

/** What changes on the way from one revision to another, as fields or as YAML. */
export function RevisionDiffView({ service, from, to }: Props) {
  const { t } = useTranslation();
  const [form, setForm] = useState<'fields' | 'yaml'>('fields');
  const diff = useQuery({
    ...read(
      '/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}/diff',
      {
        params: { path: { ...pathOf(service), revision: to }, query: { against: from } },
      },
    ),
    refetchInterval: false,
  });
  if (!diff.data) {
    return diff.error ? (
      <ErrorPanel error={diff.error} onRetry={() => void diff.refetch()} />
    ) : (
      <RowsLoading rows={4} />
    );
  }
  return (
    <div style={{ display: 'grid', gap: 12 }}>
      <Segmented
        style={{ justifySelf: 'start' }}
        aria-label={t('diff.form')}
        value={form}
        onChange={setForm}
        options={[
          { value: 'fields', label: t('diff.fields') },
          { value: 'yaml', label: 'YAML' },
        ]}
      />
      {form === 'fields' || diff.data.changes.length === 0 ? (
        <ChangeList changes={diff.data.changes} />
      ) : (
        <UnifiedDiff text={diff.data.unified} label={t('revision.compare_title', { from, to })} />
      )}
    </div>
  );
}
