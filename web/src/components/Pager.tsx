import { LeftOutlined, RightOutlined } from '@ant-design/icons';
import { Button, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Page } from '@/api/types';
import type { Paging } from './useListState';
import styles from './Pager.module.css';

interface Props {
  paging: Paging;
  /** None is there yet. */
  page: Page<unknown> | undefined;
}

const SIZES = [20, 50, 100, 200];

/** Pages by cursor: forward, and back along the way one came. */
export function Pager({ paging, page }: Props) {
  const { t } = useTranslation();
  if (!page) return null;
  const { total_estimate: total, next_cursor: nextCursor } = page;
  const shown = page.items.length;
  const first = paging.offset + 1;
  if (!nextCursor && paging.offset === 0 && shown < (SIZES[0] ?? 0)) {
    return shown > 0 ? <p className={styles.pager}>{t('pager.whole', { count: shown })}</p> : null;
  }
  return (
    <nav className={styles.pager} aria-label={t('pager.label')}>
      <span className="number">
        {t('pager.range', {
          first: shown ? first : 0,
          last: paging.offset + shown,
          total: Math.max(total, shown),
        })}
      </span>
      <Select
        size="small"
        aria-label={t('pager.size')}
        value={paging.limit}
        onChange={paging.setLimit}
        options={SIZES.map((size) => ({ value: size, label: t('pager.per_page', { size }) }))}
      />
      <Button
        size="small"
        icon={<LeftOutlined aria-hidden />}
        aria-label={t('pager.previous')}
        disabled={!paging.cursor}
        onClick={paging.previous}
      />
      <Button
        size="small"
        icon={<RightOutlined aria-hidden />}
        aria-label={t('pager.next')}
        disabled={!nextCursor}
        onClick={() => nextCursor && paging.next(nextCursor, shown)}
      />
    </nav>
  );
}
