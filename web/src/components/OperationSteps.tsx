import { useTranslation } from 'react-i18next';
import type { Operation, OperationStep } from '@/api/types';
import { beyondCounts } from './problemReason';
import { percent } from './quantity';
import { ShortMessage } from './ShortMessage';
import { StateIcon } from './StateIcon';
import { stepTone } from './status';
import styles from './OperationSteps.module.css';

/** How far an operation is, step by step. */
export function OperationSteps({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  return (
    <div className={styles.steps}>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={t('operation.progress')}
        aria-valuenow={operation.progress}
        aria-valuemin={0}
        aria-valuemax={100}
        data-state={operation.state}
      >
        <span style={{ width: `${operation.progress}%` }} />
      </div>
      {showsMore(operation) && <p className="muted">{beyondCounts(operation.message)}</p>}
      <ol className={styles.list}>
        {operation.steps.map((step) => (
          <Step key={step.name} step={step} />
        ))}
      </ol>
    </div>
  );
}

/** An operation's message that only repeats a step's is left to the step. */
function showsMore({ message, steps }: Operation): boolean {
  return (
    beyondCounts(message) !== '' &&
    !steps.some((step) => step.message !== '' && message.includes(step.message))
  );
}

function Step({ step }: { step: OperationStep }) {
  const { t } = useTranslation();
  // Where replicas went is told by the table of assignments, in the reader's language.
  const said = step.name === 'placement' && step.state === 'succeeded' ? '' : beyondCounts(step.message);
  return (
    <li className={styles.step}>
      <StateIcon tone={stepTone(step.state)} />
      <span className={styles.name}>{step.name === 'placement' ? t('operation.placement') : step.name}</span>
      <span className={styles.state}>{t(`state.step.${step.state}`)}</span>
      {step.total > 0 && (
        <span className={styles.count}>
          <span className={styles.track} aria-hidden="true">
            <span style={{ width: `${percent(step.done, step.total)}%` }} />
          </span>
          <span className="number">
            {step.done}/{step.total}
          </span>
        </span>
      )}
      {said && <ShortMessage message={said} />}
    </li>
  );
}
