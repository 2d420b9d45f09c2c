import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Segmented, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { AutoscalingDecision, DecisionOutcome, ServiceAddress } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Pager } from '@/components/Pager';
import { rowsOf } from '@/components/rowsOf';
import { Section } from '@/components/Section';
import { StateTag } from '@/components/StateTag';
import type { Tone } from '@/components/status';
import { useListState } from '@/components/useListState';
import { useBounds } from './useBounds';
import styles from './autoscaling.module.css';

const FILTERS = ['outcome'] as const;
const SHOWN = ['all', 'scaled,recorded', 'held'] as const;
const SHOWN_WORDS = {
  all: 'autoscaling.shown_all',
  'scaled,recorded': 'autoscaling.shown_changes',
  held: 'autoscaling.shown_held',
} as const;

const TONES: Record<DecisionOutcome, Tone> = {
  scaled: 'progressing',
  kept: 'running',
  recorded: 'stopped',
  held: 'unknown',
};

/** What was decided, newest first, with what went into it. */
export function DecisionTable({ address, period }: { address: ServiceAddress; period: number }) {
  const { t } = useTranslation();
  const list = useListState(FILTERS);
  const decisions = useQuery({
    ...read(
      '/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling/decisions',
      {
        params: {
          path: address,
          query: { outcome: list.filters.outcome, limit: list.limit, cursor: list.cursor },
        },
      },
    ),
    placeholderData: keepPreviousData,
    refetchInterval: period,
  });
  const columns: TableColumnsType<AutoscalingDecision> = [
    { key: 'at', title: t('autoscaling.when'), render: (_, { at }) => <Age at={at} /> },
    {
      key: 'outcome',
      title: t('autoscaling.outcome'),
      render: (_, { outcome }) => (
        <StateTag tone={TONES[outcome]} label={t(`autoscaling.outcome_${outcome}`)} />
      ),
    },
    {
      key: 'replicas',
      title: t('word.replicas'),
      render: (_, { current, wanted }) => (
        <span className="number">{current === wanted ? current : `${current} → ${wanted}`}</span>
      ),
    },
    {
      key: 'why',
      title: t('autoscaling.why'),
      responsive: ['sm'],
      render: (_, { message }) => <div className={styles.wrap}>{message}</div>,
    },
  ];
  return (
    <Section
      flush
      title={t('autoscaling.decisions')}
      extra={
        <Segmented
          size="small"
          aria-label={t('autoscaling.shown')}
          value={list.filters.outcome ?? 'all'}
          onChange={(value) => list.setFilter('outcome', value === 'all' ? undefined : value)}
          options={SHOWN.map((value) => ({ value, label: t(SHOWN_WORDS[value]) }))}
        />
      }
    >
      <DataTable<AutoscalingDecision>
        bare
        label={t('autoscaling.decisions')}
        rowKey="at"
        columns={columns}
        {...rowsOf(decisions)}
        expandable={{ expandedRowRender: (decision) => <Readings decision={decision} /> }}
        empty={<EmptyPanel compact title={t('autoscaling.none_title')} text={t('autoscaling.none_text')} />}
        footer={<Pager paging={list.paging} page={decisions.data} />}
      />
    </Section>
  );
}

function Readings({ decision }: { decision: AutoscalingDecision }) {
  const { t } = useTranslation();
  const bounds = useBounds();
  const { metrics, min_replicas, max_replicas, schedules = [] } = decision;
  return (
    <ul className={styles.readings}>
      {metrics.map((reading) => (
        <li key={reading.name}>
          <strong>{reading.name}</strong>: <code>{reading.formula}</code>
          <div className="muted">
            {t('autoscaling.pods', {
              measured: reading.measured,
              missing: reading.missing,
              unready: reading.unready,
            })}
          </div>
          {reading.error && <div className="muted">{reading.error}</div>}
        </li>
      ))}
      <li className="muted">
        {bounds(min_replicas, max_replicas)}
        {schedules.length > 0 && ` · ${schedules.join(', ')}`}
      </li>
    </ul>
  );
}
