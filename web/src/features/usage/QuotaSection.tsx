import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Project } from '@/api/types';
import { PermitButton } from '@/components/PermitButton';
import { bytes, cores } from '@/components/quantity';
import { Section } from '@/components/Section';
import { UseBar } from '@/components/UseBar';
import { useCores } from '@/components/useCores';
import { QuotaModal } from './QuotaModal';
import styles from './usage.module.css';

/** What a project's services ask for, of what they may ask for. */
export function QuotaSection({ project }: { project: Project }) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  const withCores = useCores();
  const { quota, requested } = project;
  const rows = [
    {
      key: 'cpu',
      limit: quota.cpu_millicores,
      asked: requested.cpu_millicores,
      format: cores,
      withUnit: withCores,
    },
    {
      key: 'memory',
      limit: quota.memory_bytes,
      asked: requested.memory_bytes,
      format: bytes,
      withUnit: bytes,
    },
    { key: 'pods', limit: quota.pods, asked: requested.pods, format: String, withUnit: String },
    { key: 'gpus', limit: quota.gpus, asked: requested.gpus, format: String, withUnit: String },
    {
      key: 'storage',
      limit: quota.storage_bytes,
      asked: requested.storage_bytes,
      format: bytes,
      withUnit: bytes,
    },
  ] as const;
  return (
    <Section
      title={t('quota.title')}
      hint={t('quota.hint')}
      extra={
        <PermitButton size="small" permission="quota:write" onClick={() => setEditing(true)}>
          {t('quota.edit')}
        </PermitButton>
      }
    >
      <div className={styles.bars}>
        {rows.map(({ key, limit, asked, format, withUnit }) =>
          limit === undefined || limit === null ? (
            <div key={key} className={styles.unlimited}>
              {t(`quota.${key}`)}:{' '}
              <span className="number">{t('quota.unlimited', { asked: withUnit(asked) })}</span>
            </div>
          ) : (
            <UseBar
              key={key}
              label={t(`quota.${key}`)}
              requested={asked}
              total={limit}
              format={format}
              withUnit={withUnit}
            />
          ),
        )}
      </div>
      {editing && <QuotaModal project={project} onClose={() => setEditing(false)} />}
    </Section>
  );
}
