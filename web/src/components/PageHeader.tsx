import { useEffect } from 'react';
import { Link } from 'react-router';
import styles from './PageHeader.module.css';

interface Props {
  title: React.ReactNode;
  /** Where one came from. */
  trail?: { to: string; label: string }[];
  /** Beside the title: a state. */
  badge?: React.ReactNode;
  subtitle?: React.ReactNode;
  actions?: React.ReactNode;
}

export function PageHeader({ title, trail, badge, subtitle, actions }: Props) {
  useEffect(() => {
    if (typeof title === 'string') document.title = `${title} · Longshore`;
  }, [title]);
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        {trail && (
          <nav className={styles.trail}>
            {trail.map(({ to, label }, index) => (
              <span key={to}>
                {index > 0 && <span aria-hidden="true"> / </span>}
                <Link to={to}>{label}</Link>
              </span>
            ))}
          </nav>
        )}
        <div className={styles.line}>
          <h1 className={styles.title}>{title}</h1>
          {badge}
        </div>
        {subtitle && <div className={styles.subtitle}>{subtitle}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
