import { type Scale, scaleOf } from './scale';
import { useWidth } from './useWidth';
import styles from './chart.module.css';

interface Key {
  name: string;
  /** How its mark looks, by the class of the chart's own styles. */
  mark: React.ReactNode;
}

interface Props {
  title: string;
  keys: Key[];
  /** What the drawing shows, for who doesn't see it. */
  label: string;
  height: number;
  /** Milliseconds, as are the moments on the axis. */
  from: number;
  to: number;
  /** The largest value that is drawn. */
  most: number;
  /** Whether the values are counts. */
  whole?: boolean;
  formatValue: (value: number) => string;
  formatTime: (at: number) => string;
  /** Draws on the scale. */
  children: (scale: Scale) => React.ReactNode;
}

/** A chart over time with its axes, in the pixels that there are: words on it are as large as words elsewhere. */
export function Chart(props: Props) {
  const { title, keys, label, height, from, to, most, whole, formatValue, formatTime, children } = props;
  const [ref, width] = useWidth();
  const scale = scaleOf({ width, height, from, to, most, whole });
  const last = scale.times.length - 1;
  return (
    <figure className={styles.chart}>
      <figcaption>
        <strong>{title}</strong>
        {keys.map(({ name, mark }) => (
          <span key={name} className={styles.key}>
            {mark} {name}
          </span>
        ))}
      </figcaption>
      <div ref={ref} style={{ height }}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={label}>
            {scale.values.map((value) => (
              <g key={value}>
                <line
                  className={styles.grid}
                  x1={scale.left}
                  x2={scale.right}
                  y1={scale.y(value)}
                  y2={scale.y(value)}
                />
                <text className={styles.tick} x={scale.left - 6} y={scale.y(value) + 4} textAnchor="end">
                  {formatValue(value)}
                </text>
              </g>
            ))}
            {scale.times.map((at, index) => (
              <text
                key={at}
                className={styles.tick}
                x={scale.x(at)}
                y={height - 4}
                textAnchor={index === 0 ? 'start' : index === last ? 'end' : 'middle'}
              >
                {formatTime(at)}
              </text>
            ))}
            {children(scale)}
          </svg>
        )}
      </div>
    </figure>
  );
}
