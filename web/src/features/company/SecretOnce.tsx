import { CopyButton } from '@/components/CopyText';
import styles from './company.module.css';

/** A secret to copy now: it is shown this once. */
export function SecretOnce({ secret, label, testId }: { secret: string; label: string; testId: string }) {
  return (
    <div className={styles.secret}>
      <code data-testid={testId} aria-label={label}>
        {secret}
      </code>
      <CopyButton text={secret} />
    </div>
  );
}
