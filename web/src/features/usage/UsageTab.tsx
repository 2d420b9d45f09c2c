import { DatePicker, Segmented } from 'antd';
import dayjs from 'dayjs';
import { useTranslation } from 'react-i18next';
import type { UsageItem } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { Section } from '@/components/Section';
import { useListState } from '@/components/useListState';
import { useNow } from '@/components/useNow';
import { ExportUsage } from './ExportUsage';
import { figure, money } from './figures';
import { PRESETS, rangeOf } from './range';
import { stack } from './stack';
import { UsageChart } from './UsageChart';
import { UsageSum } from './UsageSum';
import { UsageTable } from './UsageTable';
import { selectionOf, useUsage } from './useUsage';
import styles from './usage.module.css';

const NAMES = ['range', 'show'] as const;
const DAY = 'YYYY-MM-DD';

const VALUES = {
  cpu: ({ cpu_core_hours }: UsageItem) => cpu_core_hours,
  memory: ({ memory_gib_hours }: UsageItem) => memory_gib_hours,
  gpu: ({ gpu_hours }: UsageItem) => gpu_hours,
  storage: ({ storage_gib_hours }: UsageItem) => storage_gib_hours,
  cost: ({ cost }: UsageItem) => cost ?? 0,
};
type Shown = keyof typeof VALUES;

/** What the services of a project held and used, and what that costs. */
export function UsageTab({ project }: { project: string }) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const list = useListState(NAMES);
  const range = rangeOf(list.filters.range, useNow());
  const selection = selectionOf(project, range);
  const { limit, cursor } = list;
  const { chart, sum, services, prices } = useUsage(selection, range.every, { limit, cursor });
  const total = sum.data?.items[0];
  const priced = total?.cost !== undefined && total.cost !== null;
  const currency = prices.data?.currency;
  const equipped = (total?.gpu_hours ?? 0) > 0;
  const stored = (total?.storage_gib_hours ?? 0) > 0;
  const choices: Shown[] = ['cpu', 'memory'];
  if (equipped) choices.push('gpu');
  if (stored) choices.push('storage');
  if (priced) choices.push('cost');
  const shown = choices.find((one) => one === list.filters.show) ?? 'cpu';
  const format = (value: number) =>
    shown === 'cost' && currency ? money(value, currency, tag) : figure(value, tag);
  const custom = PRESETS.every((preset) => preset !== range.key);
  return (
    <div className={styles.tab}>
      <Section title={t('usage.title')} hint={t('usage.hint')}>
        <div className={styles.tools}>
          <Segmented<string>
            size="small"
            aria-label={t('usage.range')}
            value={custom ? '' : range.key}
            onChange={(key) => list.setFilter('range', key)}
            options={PRESETS.map((value) => ({ value, label: t(`usage.range_${value}`) }))}
          />
          <DatePicker.RangePicker
            size="small"
            aria-label={t('usage.days')}
            value={custom ? [dayjs(range.from), dayjs(range.to).subtract(1, 'day')] : null}
            maxDate={dayjs()}
            onChange={(days) => {
              const [first, last] = days ?? [];
              list.setFilter(
                'range',
                first && last ? `${first.format(DAY)}..${last.format(DAY)}` : undefined,
              );
            }}
          />
          <ExportUsage selection={selection} every={range.every} />
        </div>
        {sum.error && <ErrorPanel inline error={sum.error} onRetry={() => void sum.refetch()} />}
        {sum.isLoading || chart.isLoading ? (
          <RowsLoading rows={5} />
        ) : total === undefined ? (
          !sum.error && <EmptyPanel compact title={t('usage.empty_title')} text={t('usage.empty_text')} />
        ) : (
          <>
            <UsageSum item={total} currency={currency} />
            <Segmented<Shown>
              size="small"
              aria-label={t('usage.show')}
              value={shown}
              onChange={(one) => list.setFilter('show', one)}
              options={choices.map((value) => ({ value, label: t(`usage.show_${value}`) }))}
            />
            {chart.error && <ErrorPanel inline error={chart.error} onRetry={() => void chart.refetch()} />}
            {chart.data && (
              <UsageChart
                title={t(`usage.chart_${shown}`)}
                unit={shown === 'cost' ? currency : undefined}
                stack={stack(chart.data.items, VALUES[shown])}
                range={range}
                format={format}
              />
            )}
            {chart.data?.cut && <p className="muted">{t('usage.cut')}</p>}
          </>
        )}
      </Section>
      {/* Where there is nothing, that was said. */}
      {!(sum.isSuccess && total === undefined) && (
        <UsageTable
          query={services}
          paging={list.paging}
          equipped={equipped}
          stored={stored}
          currency={priced ? currency : undefined}
        />
      )}
    </div>
  );
}
