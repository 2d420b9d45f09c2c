import { useTranslation } from 'react-i18next';
import { useLanguage } from '@/app/LanguageProvider';
import type { AutoscalingDecision } from '@/api/types';
import { niceTop, pathOf, type Point } from './chart';
import styles from './autoscaling.module.css';

const WIDTH = 760;
const LEFT = 52;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 20;

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
}: {
  title: string;
  lines: Line[];
  height: number;
  from: number;
  to: number;
}) {
  const { tag } = useLanguage();
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  const top = niceTop(Math.max(...values, 0));
  const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
  const figure = new Intl.NumberFormat(tag, { notation: 'compact', maximumFractionDigits: 1 });
  const time = new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const last = lines.map(({ name, points }) => {
    const value = points.findLast((point) => point.value !== undefined)?.value;
    return `${name}: ${value === undefined ? '–' : figure.format(value)}`;
  });
  return (
    <figure className={styles.plot}>
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ name, tone }) => (
          <span key={name} className={styles.key} data-line={tone}>
            {name}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={`${title}. ${last.join(', ')}`}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line
              className={styles.grid}
              x1={LEFT}
              x2={WIDTH - RIGHT}
              y1={y(top * share)}
              y2={y(top * share)}
            />
            <text className={styles.tick} x={LEFT - 6} y={y(top * share) + 4} textAnchor="end">
              {figure.format(top * share)}
            </text>
          </g>
        ))}
        {[0, 0.5, 1].map((share) => (
          <text
            key={share}
            className={styles.tick}
            x={x(from + (to - from) * share)}
            y={height - 4}
            textAnchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}
          >
            {time.format(from + (to - from) * share)}
          </text>
        ))}
        {lines.map(({ name, tone, points, steps = false }) => (
          <path key={name} className={styles.line} data-line={tone} d={pathOf(points, x, y, steps)} />
        ))}
      </svg>
    </figure>
  );
}
