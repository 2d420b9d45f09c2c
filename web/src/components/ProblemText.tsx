import { useTranslation } from 'react-i18next';
import type { Problem } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { useProblemName } from './useProblemName';
import styles from './ProblemText.module.css';

/** A problem: what it is in plain words, what the cluster says, what to do. */
export function ProblemText({ problem, where }: { problem: Problem; where?: string }) {
  const { t, i18n } = useTranslation();
  const { language } = useLanguage();
  const { nameOf } = useProblemName();
  const advice = `problem.advice.${problem.reason}`;
  // The server's advice is in English and knows more of the case; other languages have their own.
  const told =
    language !== 'en' && i18n.exists(advice) ? t(advice as 'problem.advice.OOMKilled') : problem.advice;
  return (
    <div className={styles.problem}>
      <p>
        <strong>{nameOf(problem.reason) ?? problem.reason}</strong>{' '}
        <code className={styles.reason}>{problem.reason}</code>{' '}
        <span className="muted">
          {t('problem.pods', { count: problem.pods })}
          {where && ` · ${where}`}
        </span>
      </p>
      {problem.message && <p className={styles.said}>{problem.message}</p>}
      {told && (
        <p>
          <span className={styles.todo}>{t('problem.what_to_do')}</span> {told}
        </p>
      )}
    </div>
  );
}
