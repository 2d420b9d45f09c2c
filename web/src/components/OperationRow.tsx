import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Operation } from '@/api/types';
import { Age } from './Age';
import { operationTone } from './status';
import { StateTag } from './StateTag';
import { servicePath } from './paths';
import { useOperationTitle } from './useOperationTitle';
import styles from './OperationRow.module.css';

interface Props {
  operation: Operation;
  onFollow?: () => void;
}

/** One operation in a short list: what, on what, how far. */
export function OperationRow({ operation, onFollow }: Props) {
  const { t } = useTranslation();
  const title = useOperationTitle();
  const { project, environment, service, cluster } = operation;
  const target =
    project && environment && service
      ? { to: servicePath({ project, environment, service }), label: `${project}/${environment}/${service}` }
      : cluster
        ? { to: `/clusters/${cluster}`, label: cluster }
        : undefined;
  const moving = operation.state === 'running' || operation.state === 'waiting';
  return (
    <div className={styles.row}>
      <StateTag tone={operationTone(operation.state)} label={t(`state.operation.${operation.state}`)} />
      <div className={styles.words}>
        <div className={styles.title}>
          {title(operation)}{' '}
          {target && (
            <Link to={target.to} onClick={onFollow}>
              {target.label}
            </Link>
          )}
        </div>
        <div className={styles.meta}>
          {operation.requested_by} · <Age at={operation.finished_at ?? operation.created_at} />
          {moving && <span className="number"> · {operation.progress}%</span>}
        </div>
      </div>
    </div>
  );
}
