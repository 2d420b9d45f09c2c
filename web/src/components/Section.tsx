import styles from './Section.module.css';

interface Props {
  title: React.ReactNode;
  id?: string;
  hint?: React.ReactNode;
  extra?: React.ReactNode;
  children: React.ReactNode;
  flush?: boolean;
}

/** A titled card. */
export function Section({ title, id, hint, extra, children, flush = false }: Props) {
  return (
    <section className={styles.section} id={id}>
      <header className={styles.head}>
        <div className={styles.words}>
          <h2 className={styles.title}>{title}</h2>
          {hint && <p className={styles.hint}>{hint}</p>}
        </div>
        {extra && <div className={styles.extra}>{extra}</div>}
      </header>
      <div className={flush ? undefined : styles.body}>{children}</div>
    </section>
  );
}
