import { useQuery } from '@tanstack/react-query';
import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { AuditDetail } from '@/api/types';
import { ChangeList } from '@/components/ChangeList';
import { Code } from '@/components/Code';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { AuditFacts } from './AuditFacts';
import { differences } from './difference';
import styles from './audit.module.css';

interface Props {
  id: string | undefined;
  word: (action: string) => string;
  onClose: () => void;
}

/** One record: who, what, from where, and the object as it was and as it became. */
export function AuditDrawer({ id, word, onClose }: Props) {
  const { t } = useTranslation();
  const detail = useQuery({
    ...read('/api/v1/audit/{record}', { params: { path: { record: id ?? '' } } }),
    enabled: id !== undefined,
  });
  const record = detail.data?.record;
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      size="min(820px, 97vw)"
      title={record ? `${word(record.action)} · ${record.target}` : t('menu.audit')}
      destroyOnHidden
    >
      {detail.isLoading && <RowsLoading />}
      {detail.error && <ErrorPanel error={detail.error} onRetry={() => void detail.refetch()} />}
      {detail.data && (
        <div className={styles.drawer}>
          <AuditFacts record={detail.data.record} />
          <Difference detail={detail.data} />
          <h2 className={styles.part}>{t('audit.body')}</h2>
          {detail.data.record.request ? (
            <Code label={t('audit.body')}>{JSON.stringify(detail.data.record.request, null, 2)}</Code>
          ) : (
            <p className="faint">{t('audit.no_body')}</p>
          )}
        </div>
      )}
    </Drawer>
  );
}

function Difference({ detail: { before, after } }: { detail: AuditDetail }) {
  const { t } = useTranslation();
  if (!before && !after) return <p className="faint">{t('audit.no_object')}</p>;
  if (before && after) {
    return (
      <>
        <h2 className={styles.part}>{t('audit.difference')}</h2>
        <ChangeList changes={differences(before, after)} />
      </>
    );
  }
  const title = t(before ? 'audit.before' : 'audit.after');
  return (
    <>
      <h2 className={styles.part}>{title}</h2>
      <Code label={title}>{JSON.stringify(before ?? after, null, 2)}</Code>
    </>
  );
}
