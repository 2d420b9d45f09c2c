import styles from './Brand.module.css';

export function Brand({ large = false }: { large?: boolean }) {
  const size = large ? 34 : 24;
  return (
    <span className={`${styles.brand} ${large ? styles.large : ''}`}>
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill={large ? 'var(--rail)' : 'var(--rail-active)'} />
        <path d="M7 19h18l-2.6 6.2a2 2 0 0 1-1.8 1.2h-9.2a2 2 0 0 1-1.8-1.2z" fill="#fff" />
        <rect x="9" y="12" width="6" height="5" rx="1" fill="var(--accent)" />
        <rect x="17" y="12" width="6" height="5" rx="1" fill="#fff" opacity=".85" />
        <rect x="13" y="5.5" width="6" height="5" rx="1" fill="#fff" opacity=".6" />
      </svg>
      <span>Longshore</span>
    </span>
  );
}
