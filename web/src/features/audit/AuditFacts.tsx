import { useTranslation } from 'react-i18next';
import type { AuditRecord } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { CopyButton } from '@/components/CopyText';
import { auditTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';
import { formatTime } from '@/components/time';
import styles from './audit.module.css';

export function AuditFacts({ record }: { record: AuditRecord }) {
  const { t, i18n } = useTranslation();
  const { tag } = useLanguage();
  const via = `audit.via.${record.via}`;
  return (
    <dl className={styles.pairs}>
      <dt>{t('audit.at')}</dt>
      <dd>{formatTime(record.at, 'moment', tag)}</dd>
      <dt>{t('audit.actor')}</dt>
      <dd>
        {record.actor || '–'}{' '}
        <span className="faint">
          {i18n.exists(via) ? t(via as 'audit.via.session') : record.via} · {record.remote_address}
        </span>
      </dd>
      <dt>{t('audit.outcome')}</dt>
      <dd>
        <StateTag tone={auditTone(record.outcome)} label={t(`state.audit.${record.outcome}`)} />
        {record.error && <div className="muted">{record.error}</div>}
      </dd>
      <dt>{t('audit.request')}</dt>
      <dd className="mono">
        {record.method} {record.path}
      </dd>
      <dt>{t('audit.operation')}</dt>
      <dd className="mono">{record.action}</dd>
      <dt>{t('audit.status')}</dt>
      <dd className="number">{record.status ?? '–'}</dd>
      <dt>{t('audit.duration')}</dt>
      <dd className="number">
        {record.duration_ms === null || record.duration_ms === undefined ? '–' : `${record.duration_ms} ms`}
      </dd>
      <dt>{t('error.request_label')}</dt>
      <dd className="mono">
        {record.request_id} <CopyButton text={record.request_id} />
      </dd>
    </dl>
  );
}
