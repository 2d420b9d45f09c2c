import styles from './Code.module.css';

interface Props {
  label: string;
  children: React.ReactNode;
  /** As high as its text. */
  whole?: boolean;
}

/** A block of text that scrolls; so it can be reached by keyboard. */
export function Code({ label, children, whole = false }: Props) {
  return (
    <pre
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard
      tabIndex={0}
      role="region"
      aria-label={label}
      className={`${styles.code} ${whole ? styles.whole : ''}`}
    >
      {children}
    </pre>
  );
}
