import { Select } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AutoscalingPreview } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { StateTag } from '@/components/StateTag';
import { DecisionChart } from './DecisionChart';
import { chartedOf } from './preview';
import { useBounds } from './useBounds';
import styles from './autoscaling.module.css';

/** What a policy would have done with the last hour's load, beside what really ran, and what is not known of it. */
export function PolicyPreview({ preview }: { preview: AutoscalingPreview }) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const bounds = useBounds();
  const [chosen, setChosen] = useState<string>();
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    // Newer browsers give a promise back, which is no clean-up.
    void place.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const figures = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
  const figure = (value: number) => figures.format(value);
  const { would, ran, changes, gaps, metrics, points, saturated_minutes } = preview;
  const names = metrics.map(({ name }) => name);
  const metric = names.find((name) => name === chosen) ?? names[0] ?? '';
  const beside = (read: (outcome: NonNullable<typeof would>) => number) => {
    if (!would) return '–';
    const own = figure(read(would));
    return ran ? t('autoscaling.preview_beside', { would: own, ran: figure(read(ran)) }) : own;
  };
  return (
    <section ref={place} className={styles.preview} aria-label={t('autoscaling.preview')}>
      <p role="status">
        {would
          ? t('autoscaling.preview_sentence', {
              count: changes.length,
              bounds: bounds(would.min_replicas, would.max_replicas),
              hours: figure(would.replica_hours),
              minutes: figure(would.minutes),
            })
          : t('autoscaling.preview_unknown')}
      </p>
      {would && (
        <dl className={styles.facts}>
          <div>
            <dt>{t('autoscaling.preview_mean')}</dt>
            <dd className="number">{beside(({ mean_replicas }) => mean_replicas)}</dd>
          </div>
          <div>
            <dt>{t('autoscaling.preview_hours')}</dt>
            <dd className="number">{beside(({ replica_hours }) => replica_hours)}</dd>
          </div>
          <div>
            <dt>{t('autoscaling.preview_above')}</dt>
            <dd className="number">{beside(({ minutes_above_target }) => minutes_above_target)}</dd>
          </div>
        </dl>
      )}
      {points.length > 0 && (
        <>
          {names.length > 1 && (
            <Select
              size="small"
              style={{ width: 220 }}
              aria-label={t('autoscaling.metric')}
              value={metric}
              onChange={setChosen}
              options={names.map((name) => ({ value: name, label: name }))}
            />
          )}
          <DecisionChart
            decisions={chartedOf(preview)}
            metric={metric}
            from={Date.parse(preview.from)}
            to={Date.parse(preview.to)}
            readyName={t('autoscaling.preview_ran')}
          />
        </>
      )}
      {gaps.map(({ cluster, metric: of, minutes, reason }) => (
        <p key={`${cluster} ${of ?? ''}`} className={styles.last}>
          <StateTag tone="unknown" label={t('autoscaling.warning')} plain />
          <span>
            {t('autoscaling.preview_gap', {
              minutes: figure(minutes),
              what: of ?? t('autoscaling.preview_everything'),
              cluster,
              reason,
            })}
          </span>
        </p>
      ))}
      {saturated_minutes > 0 && (
        <p className={styles.last}>
          <StateTag tone="degraded" label={t('autoscaling.warning')} plain />
          <span>{t('autoscaling.preview_saturated', { minutes: figure(saturated_minutes) })}</span>
        </p>
      )}
      <p className={styles.explained}>{t('autoscaling.preview_simplified')}</p>
    </section>
  );
}
