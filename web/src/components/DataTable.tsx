import { Table, type TableProps } from 'antd';
import { useTranslation } from 'react-i18next';
import { ErrorPanel } from './ErrorPanel';
import { Gaps } from './Gaps';
import { RowsLoading } from './Loading';
import { nextSort } from './listState';
import type { Rows } from './rowsOf';
import styles from './DataTable.module.css';

interface Props<T>
  extends Rows<T>, Pick<TableProps<T>, 'columns' | 'rowKey' | 'expandable' | 'onRow' | 'rowClassName'> {
  label: string;
  empty: React.ReactNode;
  onSort?: (sort: string | undefined) => void;
  footer?: React.ReactNode;
  /** Rows can be chosen. */
  selection?: { keys: string[]; set: (keys: string[]) => void; labelOf: (item: T) => string };
  /** In a card that has its own frame. */
  bare?: boolean;
}

/** A table and every state it can be in: loading, refused, empty, partly old, and the last good rows with an error above. */
export function DataTable<T extends object>(props: Props<T>) {
  const { label, items, gaps, loading, error, onRetry, empty, onSort, footer, bare, columns, expandable } =
    props;
  const { rowKey, onRow, rowClassName, selection } = props;
  const { t } = useTranslation();
  if (error && !items) return <ErrorPanel error={error} onRetry={onRetry} />;
  return (
    <>
      {Boolean(error) && <ErrorPanel inline error={error} onRetry={onRetry} />}
      {bare ? (
        <div className={styles.inset}>
          <Gaps gaps={gaps} />
        </div>
      ) : (
        <Gaps gaps={gaps} />
      )}
      <section className={bare ? styles.bare : styles.frame} aria-label={label}>
        {loading && !items ? (
          <RowsLoading />
        ) : items?.length === 0 ? (
          empty
        ) : (
          <div
            className={styles.scroller}
            role="group"
            aria-label={label}
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
            tabIndex={0}
          >
            <Table<T>
              size="small"
              pagination={false}
              showSorterTooltip={false}
              sortDirections={['ascend', 'descend']}
              dataSource={items}
              columns={columns?.map((column) =>
                column.key === 'actions' ? { ...column, align: 'end' as const } : column,
              )}
              rowSelection={
                selection && {
                  columnWidth: 40,
                  selectedRowKeys: selection.keys,
                  preserveSelectedRowKeys: true,
                  onChange: (keys) => selection.set(keys.map(String)),
                  getCheckboxProps: (item) => ({
                    'aria-label': t('bulk.choose', { name: selection.labelOf(item) }),
                  }),
                  getTitleCheckboxProps: () => ({ 'aria-label': t('bulk.choose_all') }),
                }
              }
              expandable={
                expandable && {
                  columnTitle: <span className="visually-hidden">{t('word.details')}</span>,
                  ...expandable,
                  expandedRowRender: (...row) => (
                    <div className={styles.expanded}>{expandable.expandedRowRender?.(...row)}</div>
                  ),
                }
              }
              onChange={(_pagination, _filters, sorter, extra) => {
                if (extra.action !== 'sort' || Array.isArray(sorter)) return;
                onSort?.(nextSort(String(sorter.columnKey), sorter.order));
              }}
              rowKey={rowKey}
              onRow={onRow}
              rowClassName={rowClassName}
            />
          </div>
        )}
        {footer && <div className={styles.footer}>{footer}</div>}
      </section>
      {loading && items && <span className="visually-hidden">{t('loading')}</span>}
    </>
  );
}
