import type { Tone } from './status';
import styles from './StateIcon.module.css';

const SHAPES: Record<Tone, React.ReactNode> = {
  running: <circle cx="6" cy="6" r="4" fill="currentColor" />,
  progressing: (
    <>
      <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" opacity=".3" />
      <path d="M6 2a4 4 0 0 1 4 4" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </>
  ),
  degraded: <path d="M6 1.6 11 10.4H1z" fill="currentColor" />,
  failed: (
    <path
      d="M2.6 2.6 9.4 9.4M9.4 2.6 2.6 9.4"
      stroke="currentColor"
      strokeWidth="2.4"
      strokeLinecap="round"
    />
  ),
  stopped: <rect x="2.5" y="2.5" width="7" height="7" rx="1" fill="currentColor" />,
  unknown: (
    <circle
      cx="6"
      cy="6"
      r="3.6"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeDasharray="2 1.6"
    />
  ),
};

/** The shape of a state, so that it does not stand on its colour alone. */
export function StateIcon({ tone, size = 12 }: { tone: Tone; size?: number }) {
  return (
    <svg
      className={styles.icon}
      data-tone={tone}
      width={size}
      height={size}
      viewBox="0 0 12 12"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[tone]}
    </svg>
  );
}
