import { useQuery } from '@tanstack/react-query';
import { Segmented, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { stringify } from 'yaml';
import { read } from '@/api/client';
import type { Service } from '@/api/types';
import { Code } from '@/components/Code';
import { CopyButton } from '@/components/CopyText';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { pathOf } from '../actions/useServiceMutation';
import { SpecView } from './SpecView';
import styles from './detail.module.css';

/** The spec of the current revision, or of any other. */
export function ConfigurationTab({ service }: { service: Service }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<number>();
  const [form, setForm] = useState<'fields' | 'yaml'>('fields');
  const number = chosen ?? service.revision;
  const revision = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}', {
      params: { path: { ...pathOf(service), revision: number } },
    }),
    refetchInterval: false,
  });
  const numbers = Array.from(
    { length: service.latest_revision },
    (_, index) => service.latest_revision - index,
  );
  const yaml = revision.data ? stringify(revision.data.spec) : '';
  return (
    <>
      <div className={styles.filters}>
        <Select
          aria-label={t('word.revision')}
          value={number}
          onChange={setChosen}
          style={{ minWidth: 180 }}
          options={numbers.map((each) => ({
            value: each,
            label: `${t('revision.number', { number: each })}${each === service.revision ? ` · ${t('revision.current')}` : ''}`,
          }))}
        />
        <Segmented
          aria-label={t('diff.form')}
          value={form}
          onChange={setForm}
          options={[
            { value: 'fields', label: t('diff.fields') },
            { value: 'yaml', label: 'YAML' },
          ]}
        />
        {revision.data && form === 'yaml' && <CopyButton text={yaml} />}
      </div>
      {revision.data ? (
        form === 'fields' ? (
          <SpecView spec={revision.data.spec} />
        ) : (
          <Code whole label="YAML">
            {yaml}
          </Code>
        )
      ) : revision.error ? (
        <ErrorPanel error={revision.error} onRetry={() => void revision.refetch()} />
      ) : (
        <RowsLoading />
      )}
    </>
  );
}
