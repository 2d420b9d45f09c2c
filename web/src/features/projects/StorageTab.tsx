import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Environment } from '@/api/types';
import { Section } from '@/components/Section';
import { useListState } from '@/components/useListState';
import { Volumes } from '@/features/services/detail/Volumes';

const NAMES = ['environment'] as const;

/** What the services of an environment have stored on clusters, also those that are gone. */
export function StorageTab({ project, environments }: { project: string; environments: Environment[] }) {
  const { t } = useTranslation();
  const list = useListState(NAMES);
  const names = environments.map(({ name }) => name);
  const shown = names.find((name) => name === list.filters.environment) ?? names[0];
  if (shown === undefined) return <p className="muted">{t('project.no_environments')}</p>;
  return (
    <Section
      title={t('volume.title')}
      hint={t('volume.kept_hint')}
      extra={
        <Select
          aria-label={t('word.environment')}
          value={shown}
          onChange={(name: string) => list.setFilter('environment', name)}
          options={names.map((value) => ({ value, label: value }))}
          popupMatchSelectWidth={false}
        />
      }
    >
      <Volumes key={shown} address={{ project, environment: shown }} />
    </Section>
  );
}
