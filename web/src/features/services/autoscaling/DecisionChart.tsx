import { useTranslation } from 'react-i18next';
import { useLanguage } from '@/app/LanguageProvider';
import type { AutoscalingDecision } from '@/api/types';
import { Chart } from '@/components/chart/Chart';
import { pathOf, type Point } from '@/components/chart/scale';
import { formatTime } from '@/components/time';
import styles from './autoscaling.module.css';

interface Line {
  name: string;
  tone: 'value' | 'target' | 'wanted' | 'ready';
  points: Point[];
  steps?: boolean;
}

/** What is drawn of a decision. */
export interface Charted extends Pick<AutoscalingDecision, 'at' | 'outcome' | 'current' | 'wanted'> {
  ready: number | null | undefined;
  metrics: { name: string; target: number; value?: number | null }[];
}

interface Props {
  /** Oldest first. */
  decisions: Charted[];
  metric: string;
  from: number;
  to: number;
  /** What the ready replicas are called, where they are something else. */
  readyName?: string;
}

/** A metric against its target, and below it the replicas that were wanted and those that were ready. */
export function DecisionChart({ decisions, metric, from, to, readyName }: Props) {
  const { t } = useTranslation();
  const pick = (read: (decision: Charted) => number | null | undefined): Point[] =>
    decisions.map((decision) => ({ at: Date.parse(decision.at), value: read(decision) ?? undefined }));
  const reading = (decision: Charted) => decision.metrics.find(({ name }) => name === metric);
  return (
    <div className={styles.charts}>
      <Plot
        title={t('autoscaling.chart_metric', { metric })}
        height={170}
        from={from}
        to={to}
        lines={[
          {
            name: t('autoscaling.target'),
            tone: 'target',
            points: pick((each) => reading(each)?.target),
            steps: true,
          },
          {
            name: t('autoscaling.measured'),
            tone: 'value',
            points: pick((each) => reading(each)?.value),
          },
        ]}
      />
      <Plot
        title={t('autoscaling.chart_replicas')}
        height={150}
        from={from}
        to={to}
        whole
        lines={[
          {
            name: readyName ?? t('autoscaling.ready'),
            tone: 'ready',
            points: pick(({ ready }) => ready),
            steps: true,
          },
          {
            name: t('autoscaling.wanted'),
            tone: 'wanted',
            points: pick(({ outcome, wanted, current }) => (outcome === 'recorded' ? current : wanted)),
            steps: true,
          },
        ]}
      />
    </div>
  );
}

function Plot({
  title,
  lines,
  height,
  from,
  to,
  whole,
}: {
  title: string;
  lines: Line[];
  height: number;
  from: number;
  to: number;
  whole?: boolean;
}) {
  const { tag } = useLanguage();
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  const figure = new Intl.NumberFormat(tag, { notation: 'compact', maximumFractionDigits: 1 });
  const last = lines.map(({ name, points }) => {
    const value = points.findLast((point) => point.value !== undefined)?.value;
    return `${name}: ${value === undefined ? '–' : figure.format(value)}`;
  });
  return (
    <Chart
      title={title}
      label={`${title}. ${last.join(', ')}`}
      keys={lines.map(({ name, tone }) => ({
        name,
        mark: <span className={styles.mark} data-line={tone} />,
      }))}
      height={height}
      from={from}
      to={to}
      most={Math.max(...values, 0)}
      whole={whole}
      formatValue={(value) => figure.format(value)}
      formatTime={(at) => formatTime(at, 'clock', tag)}
    >
      {({ x, y }) =>
        lines.map(({ name, tone, points, steps = false }) => (
          <path key={name} className={styles.line} data-line={tone} d={pathOf(points, x, y, steps)} />
        ))
      }
    </Chart>
  );
}
