import { useTranslation } from 'react-i18next';
import { Age } from './Age';
import styles from './Observed.module.css';

interface Props {
  at: string | null | undefined;
  stale: boolean;
  children: React.ReactNode;
}

/** Numbers that were observed: as they are while fresh, grey and with their age as soon as they are old. */
export function Observed({ at, stale, children }: Props) {
  const { t } = useTranslation();
  if (!stale) return <>{children}</>;
  return (
    <span className={styles.old}>
      <span className={styles.numbers}>{children}</span>{' '}
      <span className={styles.age}>
        {at ? (
          <>
            {t('stale.as_of')} <Age at={at} />
          </>
        ) : (
          t('stale.never')
        )}
      </span>
    </span>
  );
}
