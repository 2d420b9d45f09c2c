import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import type { Operation, Page } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { OperationRow } from '@/components/OperationRow';
import { OperationSteps } from '@/components/OperationSteps';
import { useNow } from '@/components/useNow';
import styles from './OperationsDrawer.module.css';

const HOUR_MS = 3_600_000;

interface Props {
  running: UseQueryResult<Page<Operation>>;
  onClose: () => void;
}

/** What is under way, step by step, and what ended within the last hour. */
export function OperationsDrawer({ running, onClose }: Props) {
  const { t } = useTranslation();
  const now = useNow();
  const ended = useQuery(
    read('/api/v1/operations', {
      params: { query: { state: 'succeeded,failed,superseded', limit: 30 } },
    }),
  );
  const recent = ended.data?.items.filter(
    ({ finished_at }) => finished_at && now - Date.parse(finished_at) < HOUR_MS,
  );
  const rest = (running.data?.total_estimate ?? 0) - (running.data?.items.length ?? 0);
  return (
    <Drawer
      open
      size={460}
      title={t('operations.title')}
      onClose={onClose}
      extra={
        <Link to="/operations" onClick={onClose}>
          {t('operations.all')}
        </Link>
      }
    >
      <div className={styles.drawer}>
        <section aria-label={t('operations.under_way')}>
          <h2 className={styles.title}>{t('operations.under_way')}</h2>
          <Part query={running} items={running.data?.items} empty={t('operations.none_under_way')}>
            {(operation) => (
              <div key={operation.id} className={styles.running}>
                <OperationRow operation={operation} onFollow={onClose} />
                <OperationSteps operation={operation} />
              </div>
            )}
          </Part>
          {rest > 0 && (
            <Link to="/operations?state=running,waiting" onClick={onClose}>
              {t('operations.more', { count: rest })}
            </Link>
          )}
        </section>
        <section aria-label={t('operations.last_hour')}>
          <h2 className={styles.title}>{t('operations.last_hour')}</h2>
          <Part query={ended} items={recent} empty={t('operations.none_last_hour')}>
            {(operation) => <OperationRow key={operation.id} operation={operation} onFollow={onClose} />}
          </Part>
        </section>
      </div>
    </Drawer>
  );
}

interface PartProps {
  query: UseQueryResult<Page<Operation>>;
  items: Operation[] | undefined;
  empty: string;
  children: (operation: Operation) => React.ReactNode;
}

function Part({ query, items, empty, children }: PartProps) {
  return (
    <div className={styles.list}>
      {query.error && <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />}
      {items ? (
        items.length > 0 ? (
          items.map(children)
        ) : (
          <p className="muted">{empty}</p>
        )
      ) : (
        !query.error && <RowsLoading rows={3} />
      )}
    </div>
  );
}
