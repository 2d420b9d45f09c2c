import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Overview } from '@/api/types';
import { Age } from '@/components/Age';
import { StateIcon } from '@/components/StateIcon';
import type { Tone } from '@/components/status';
import styles from './overview.module.css';

/** The whole answer in one line. */
export function Headline({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  const { services, clusters } = overview;
  const away = clusters.filter(({ state }) => state === 'unreachable');
  const suspect = clusters.filter(({ state }) => state === 'suspect');
  const { failed = 0, degraded = 0, unknown = 0 } = services;
  const wrong = failed + degraded + unknown;
  const tone: Tone =
    failed > 0 || away.length > 0
      ? 'failed'
      : wrong > 0 || suspect.length > 0
        ? 'degraded'
        : clusters.length === 0
          ? 'stopped'
          : 'running';
  const since = [
    ...[...away, ...suspect].map(({ state_since }) => state_since),
    ...overview.attention.map(({ status }) => status.since),
  ]
    .sort()
    .at(0);
  const parts = [
    wrong > 0 && t('overview.services_wrong', { count: wrong }),
    away.length > 0 &&
      t('overview.clusters_away', { count: away.length, names: away.map(({ name }) => name).join(', ') }),
    suspect.length > 0 &&
      t('overview.clusters_suspect', {
        count: suspect.length,
        names: suspect.map(({ name }) => name).join(', '),
      }),
  ].filter((part): part is string => Boolean(part));
  useEffect(() => {
    document.title = `${t('menu.overview')} · Longshore`;
  }, [t]);
  return (
    <header className={styles.headline} data-tone={tone}>
      <span className={styles.badge}>
        <StateIcon tone={tone} size={20} />
      </span>
      <div>
        <h1 className={styles.title}>
          {parts.length
            ? parts.join(t('overview.and'))
            : t(clusters.length ? 'overview.all_well' : 'overview.nothing_yet')}
        </h1>
        <p className="muted">
          {parts.length > 0 && since && (
            <>
              {t('overview.since')} <Age at={since} />
              {' · '}
            </>
          )}
          {t('service.replicas_ready', {
            ready: overview.replicas_ready,
            wanted: overview.replicas_wanted,
            count: overview.replicas_wanted,
          })}
          {overview.replicas_unknown > 0 &&
            ` · ${t('overview.replicas_unknown', { count: overview.replicas_unknown })}`}
        </p>
      </div>
    </header>
  );
}
