import { useTranslation } from 'react-i18next';
import type { SpecChange } from '@/api/types';
import styles from './Diff.module.css';

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value === '' ? '""' : value;
  return JSON.stringify(value, null, typeof value === 'object' ? 2 : undefined);
}

/** What differs, field by field: before and after. */
export function ChangeList({ changes }: { changes: SpecChange[] }) {
  const { t } = useTranslation();
  if (changes.length === 0) return <p className="faint">{t('diff.none')}</p>;
  return (
    <ul className={styles.changes}>
      {changes.map(({ path, kind, before, after }) => (
        <li key={path} className={styles.change}>
          <div className={styles.path}>
            <code>{path}</code>
            <span className={styles.kind} data-kind={kind}>
              {t(`diff.${kind}`)}
            </span>
          </div>
          {kind !== 'added' && (
            <pre className={styles.before}>
              <span className="visually-hidden">{t('diff.before')} </span>
              {shown(before)}
            </pre>
          )}
          {kind !== 'removed' && (
            <pre className={styles.after}>
              <span className="visually-hidden">{t('diff.after')} </span>
              {shown(after)}
            </pre>
          )}
        </li>
      ))}
    </ul>
  );
}
