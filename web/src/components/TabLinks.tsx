import { Link } from 'react-router';
import styles from './TabLinks.module.css';

interface Props {
  label: string;
  tabs: { key: string; label: string; to: string }[];
  active: string;
}

/** The parts of a page as links: each has an address of its own. */
export function TabLinks({ label, tabs, active }: Props) {
  return (
    <nav aria-label={label} className={styles.tabs}>
      {tabs.map((tab) => (
        <Link
          key={tab.key}
          to={tab.to}
          replace
          preventScrollReset
          className={styles.tab}
          aria-current={tab.key === active ? 'page' : undefined}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
