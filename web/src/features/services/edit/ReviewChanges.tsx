import { Grid, Segmented } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ChangeList } from '@/components/ChangeList';
import { RowsLoading } from '@/components/Loading';
import type { ServiceValues } from '../form/values';
import styles from './edit.module.css';
import type { EditChanges } from './save';

const YamlDiff = lazy(() => import('../document/YamlDiff'));
const LOOKS = ['fields', 'unified', 'side_by_side'] as const;

interface Props {
  changes: EditChanges;
  before: ServiceValues;
  after: ServiceValues;
  /** The number of the revision that this makes. */
  revision: number;
}

/** What an edit changes: field by field, or in the text as it was and as it will be. */
export function ReviewChanges({ changes, before, after, revision }: Props) {
  const { t } = useTranslation();
  const { md } = Grid.useBreakpoint();
  const [look, setLook] = useState<(typeof LOOKS)[number]>('fields');
  // Two columns of text are too narrow to read on a phone.
  const looks = LOOKS.filter((value) => md || value !== 'side_by_side');
  return (
    <>
      <Segmented
        className={styles.looks}
        aria-label={t('editor.compare_as')}
        value={look}
        onChange={setLook}
        options={looks.map((value) => ({ value, label: t(`editor.${value}`) }))}
      />
      {look !== 'fields' && (
        <Suspense fallback={<RowsLoading />}>
          <YamlDiff before={before} after={after} sideBySide={look === 'side_by_side'} />
        </Suspense>
      )}
      {look === 'fields' && changes.spec.length > 0 && (
        <section>
          <h2 className={styles.title}>{t('service.new_revision', { revision })}</h2>
          <ChangeList changes={changes.spec} />
        </section>
      )}
      {look === 'fields' && changes.rest.length > 0 && (
        <section>
          <h2 className={styles.title}>{t('service.beside_revision')}</h2>
          <ChangeList changes={changes.rest} />
        </section>
      )}
    </>
  );
}
