import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useLanguage } from '@/app/LanguageProvider';
import { niceTop } from '@/features/services/autoscaling/chart';
import { figure } from './figures';
import { partLabel, type Range } from './range';
import { heights, type Stack } from './stack';
import styles from './usage.module.css';

const WIDTH = 760;
const HEIGHT = 220;
const LEFT = 52;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 20;
/** Between two bars, of the width that a part has. */
const SPACE = 0.2;

interface Props {
  title: string;
  stack: Stack;
  range: Range;
  format: (value: number) => string;
}

/** Usage by part of the range, a bar of all services on each other; what could not be counted is hatched. */
export function UsageChart({ title, stack, range, format }: Props) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const hatch = useId();
  const { from, to, every } = range;
  const { parts, series } = stack;
  const tops = heights(stack);
  const top = niceTop(Math.max(...tops, 0));
  const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const nameOf = (name: string | undefined) => name ?? t('usage.others');
  const all = tops.reduce((sum, value) => sum + value, 0);
  return (
    <figure className={styles.chart}>
      <figcaption>
        <strong>{title}</strong>
        {series.map(({ name }, index) => (
          <span key={name ?? ''} className={styles.key} data-series={index}>
            {nameOf(name)}
          </span>
        ))}
        {parts.some(({ gap }) => gap > 0) && (
          <span className={styles.key} data-series="gap">
            {t('usage.gap')}
          </span>
        )}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={t('usage.chart_label', { title, total: format(all), services: series.length })}
      >
        <defs>
          <pattern
            id={hatch}
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect className={styles.hatch_ground} width="6" height="6" />
            <line className={styles.hatch} x1="0" x2="0" y1="0" y2="6" />
          </pattern>
        </defs>
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
              {figure(top * share, tag)}
            </text>
          </g>
        ))}
        {parts.map((part, index) => {
          const label = partLabel(part.from, every, tag);
          const width = Math.max(1, (x(part.to) - x(part.from)) * (1 - SPACE));
          return (
            <g key={part.from}>
              {part.gap > 0 && (
                <rect
                  x={x(part.from)}
                  width={width}
                  y={TOP}
                  height={(HEIGHT - TOP - BOTTOM) * part.gap}
                  fill={`url(#${hatch})`}
                >
                  <title>{`${label}: ${t('usage.gap_share', { percent: Math.ceil(part.gap * 100) })}`}</title>
                </rect>
              )}
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
                    <title>{`${label} · ${nameOf(name)}: ${format(value)}`}</title>
                  </rect>
                );
              })}
            </g>
          );
        })}
        {[0, 0.5, 1].map((share) => (
          <text
            key={share}
            className={styles.tick}
            x={x(from + (to - from) * share)}
            y={HEIGHT - 4}
            textAnchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}
          >
            {partLabel(from + (to - from) * share, every, tag)}
          </text>
        ))}
      </svg>
    </figure>
  );
}
