import { useQuery } from '@tanstack/react-query';
import { Button, Input, Modal } from 'antd';
import { useId, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { BulkOutcome } from './BulkOutcome';
import { type BulkItem, useBulkRun } from './useBulkRun';
import styles from './bulk.module.css';

interface Props {
  title: string;
  okText: string;
  danger?: boolean;
  items: BulkItem[];
  /** Has to be typed first. */
  phrase?: string;
  /** What it needs to know: a number, an image. */
  children?: React.ReactNode;
  /** Told whether anything was asked for. */
  onClose: (begun: boolean) => void;
}

/** The newest operations among which those of one run are looked for. */
const FOLLOWED = 200;

/** One action on many: says what will become of which, does it, and shows how each of them went. */
export function BulkDialog({ title, okText, danger = false, items, phrase, children, onClose }: Props) {
  const { t } = useTranslation();
  const field = useId();
  const { outcomes, running, start, stop } = useBulkRun();
  const [typed, setTyped] = useState('');
  const touched = items.filter(({ skip }) => skip === undefined);
  const begun = outcomes.size > 0;
  const refused = items.filter(({ key }) => outcomes.get(key)?.kind === 'refused');
  const unsent = items.filter(({ key }) => outcomes.get(key)?.kind === 'waiting');
  const answered = [...outcomes.values()].filter(
    ({ kind }) => kind === 'accepted' || kind === 'refused',
  ).length;
  const hasOperations = [...outcomes.values()].some((each) => each.kind === 'accepted' && each.operation);
  const operations = useQuery({
    ...read('/api/v1/operations', { params: { query: { limit: FOLLOWED } } }),
    enabled: hasOperations,
  });
  const byId = new Map(operations.data?.items.map((operation) => [operation.id, operation]));
  const again = [...refused, ...unsent];

  return (
    <Modal
      open
      width={780}
      title={title}
      onCancel={() => onClose(begun)}
      mask={{ closable: !begun }}
      footer={
        begun ? (
          <>
            {running && <Button onClick={stop}>{t('bulk.stop')}</Button>}
            {!running && again.length > 0 && (
              <Button onClick={() => void start(again)}>{t('bulk.again', { count: again.length })}</Button>
            )}
            <Button type="primary" disabled={running} onClick={() => onClose(begun)}>
              {t('bulk.close')}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={() => onClose(begun)}>{t('action.cancel')}</Button>
            <Button
              type="primary"
              danger={danger}
              disabled={touched.length === 0 || (phrase !== undefined && typed.trim() !== phrase)}
              onClick={() => void start(touched)}
            >
              {okText}
            </Button>
          </>
        )
      }
    >
      <div className={styles.dialog}>
        {!begun && children}
        <p role="status" className={styles.summary}>
          {begun
            ? t('bulk.progress', { answered, count: outcomes.size, refused: refused.length })
            : t('bulk.summary', { touched: touched.length, count: items.length })}
        </p>
        <div
          className={styles.list}
          role="region"
          aria-label={t('bulk.what_happens')}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
          tabIndex={0}
        >
          <ul>
            {items.map((item) => (
              <li key={item.key} className={styles.item} data-skipped={item.skip !== undefined}>
                <span className={styles.name}>{item.name}</span>
                <span className={styles.will}>{item.skip ?? item.will}</span>
                <span className={styles.outcome}>
                  {begun && <BulkOutcome outcome={outcomes.get(item.key)} operations={byId} />}
                </span>
              </li>
            ))}
          </ul>
        </div>
        {!begun && phrase !== undefined && touched.length > 0 && (
          <label htmlFor={field} className={styles.phrase}>
            <span>
              <Trans i18nKey="confirm.type_name" values={{ name: phrase }} components={{ name: <code /> }} />
            </span>
            <Input
              id={field}
              value={typed}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          </label>
        )}
      </div>
    </Modal>
  );
}
