import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useLanguage } from '@/app/LanguageProvider';
import { Chart } from '@/components/chart/Chart';
import type { Scale } from '@/components/chart/scale';
import { figure } from './figures';
import { partLabel, type Range } from './range';
import { heights, type Stack } from './stack';
import styles from './usage.module.css';

const HEIGHT = 220;
/** Between two bars, of the width that a part has. */
const SPACE = 0.2;

interface Props {
  title: string;
  /** Of the figures beside it, where the title doesn't say it. */
  unit: string | undefined;
  stack: Stack;
  range: Range;
  format: (value: number) => string;
}

/** Usage by part of the range, a bar of all services on each other; what could not be counted is hatched. */
export function UsageChart({ title, unit, stack, range, format }: Props) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const { from, to, every } = range;
  const { parts, series } = stack;
  const tops = heights(stack);
  const all = tops.reduce((sum, value) => sum + value, 0);
  const mark = (index: number | 'gap') => <span className={styles.mark} data-series={index} />;
  return (
    <Chart
      title={unit ? `${title}, ${unit}` : title}
      label={t('usage.chart_label', { title, total: format(all), count: series.length })}
      keys={[
        ...series.map(({ name }, index) => ({ name: name ?? t('usage.others'), mark: mark(index) })),
        ...(parts.some(({ gap }) => gap > 0) ? [{ name: t('usage.gap'), mark: mark('gap') }] : []),
      ]}
      height={HEIGHT}
      from={from}
      to={to}
      most={Math.max(...tops, 0)}
      formatValue={(value) => figure(value, tag)}
      formatTime={(at) => partLabel(at, every, tag)}
    >
      {(scale) => <Bars stack={stack} range={range} format={format} scale={scale} />}
    </Chart>
  );
}

function Bars({ stack, range, format, scale }: Omit<Props, 'title' | 'unit'> & { scale: Scale }) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const hatch = useId();
  const { parts, series } = stack;
  const { x, y } = scale;
  return (
    <>
      <defs>
        <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect className={styles.hatch_ground} width="6" height="6" />
          <line className={styles.hatch} x1="0" x2="0" y1="0" y2="6" />
        </pattern>
      </defs>
      {parts.map((part, index) => {
        const label = partLabel(part.from, range.every, tag);
        const width = Math.max(1, (x(part.to) - x(part.from)) * (1 - SPACE));
        return (
          <g key={part.from}>
            {series.map(({ name, values }, number) => {
              const value = values[index] ?? 0;
              const below = series.slice(0, number).reduce((sum, one) => sum + (one.values[index] ?? 0), 0);
              return (
                <rect
                  key={name ?? ''}
                  className={styles.bar}
                  data-series={number}
                  x={x(part.from)}
                  width={width}
                  y={y(below + value)}
                  height={Math.max(0, y(below) - y(below + value))}
                >
                  <title>{`${label} · ${name ?? t('usage.others')}: ${format(value)}`}</title>
                </rect>
              );
            })}
            {/* On the bars, which lack that part. */}
            {part.gap > 0 && (
              <rect
                x={x(part.from)}
                width={width}
                y={scale.top}
                height={(scale.bottom - scale.top) * part.gap}
                fill={`url(#${hatch})`}
              >
                <title>{`${label}: ${t('usage.gap_share', { percent: Math.ceil(part.gap * 100) })}`}</title>
              </rect>
            )}
          </g>
        );
      })}
    </>
  );
}
