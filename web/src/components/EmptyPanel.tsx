import { useTranslation } from 'react-i18next';
import styles from './Panel.module.css';

interface Props {
  title: string;
  /** The first step, in a sentence. */
  text: string;
  action?: React.ReactNode;
  compact?: boolean;
  /** It is all there is on the page. */
  whole?: boolean;
}

/** Nothing here yet: says what belongs here and how to begin. */
export function EmptyPanel({ title, text, action, compact = false, whole = false }: Props) {
  const Title = whole ? 'h1' : 'h2';
  return (
    <div className={`${styles.empty} ${compact ? styles.compact : ''}`}>
      {!compact && (
        <svg width="72" height="44" viewBox="0 0 72 44" aria-hidden="true" focusable="false">
          <g fill="none" stroke="var(--line-strong)" strokeWidth="1.5">
            <rect x="12" y="18" width="14" height="12" rx="2" />
            <rect x="29" y="18" width="14" height="12" rx="2" strokeDasharray="3 3" />
            <rect x="21" y="3" width="14" height="12" rx="2" strokeDasharray="3 3" />
            <path d="M4 33h64l-5 8H9z" />
          </g>
        </svg>
      )}
      <Title className={styles.title}>{title}</Title>
      <p className={styles.text}>{text}</p>
      {action}
    </div>
  );
}

interface ListProps extends Pick<Props, 'title' | 'text' | 'action'> {
  filtered: boolean;
}

/** Nothing in a list: there is none yet, or none that its filters let through. */
export function EmptyList({ filtered, ...none }: ListProps) {
  const { t } = useTranslation();
  if (!filtered) return <EmptyPanel {...none} />;
  return <EmptyPanel compact title={t('filter.none_title')} text={t('filter.none_text')} />;
}
