import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Segmented, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Service } from '@/api/types';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { useNow } from '@/components/useNow';
import { useSession } from '@/features/session/session';
import { pathOf } from '../actions/useServiceMutation';
import { DecisionChart } from './DecisionChart';
import { DecisionTable } from './DecisionTable';
import { PolicyModal } from './PolicyModal';
import { PolicySummary } from './PolicySummary';
import { SimulatedLoadPanel } from './SimulatedLoadPanel';
import styles from './autoscaling.module.css';

const MINUTE = 60_000;
/** As often as the platform decides. */
const PERIOD = 15_000;
/** A page of the API has that many decisions at most, two hours of them. */
const MOST = 500;
const RANGES = [15, 60, 120] as const;

/** How a service's replicas follow its load, and why they are as they are. */
export function AutoscalingTab({ service }: { service: Service }) {
  const { t } = useTranslation();
  const { simulated } = useSession();
  const [editing, setEditing] = useState(false);
  const address = pathOf(service);
  const query = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling', {
      params: { path: address },
    }),
    refetchInterval: PERIOD,
  });
  const known = query.data;
  const pinned = service.placement.strategy?.type === 'pinned';
  if (!known) {
    if (!query.error) return <RowsLoading />;
    return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <div className={styles.tab}>
      {query.error && <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />}
      {known.policy ? (
        <>
          <PolicySummary
            service={service}
            policy={known.policy}
            autoscaling={known}
            onEdit={() => setEditing(true)}
          />
          <History service={service} />
          <DecisionTable address={address} period={PERIOD} />
        </>
      ) : (
        <EmptyPanel
          title={t('autoscaling.empty_title')}
          text={t('autoscaling.empty_text')}
          action={
            <PermitButton
              type="primary"
              permission="service:write"
              scope={address}
              blocked={pinned ? t('autoscaling.pinned') : undefined}
              onClick={() => setEditing(true)}
            >
              {t('autoscaling.set')}
            </PermitButton>
          }
        />
      )}
      {simulated && <SimulatedLoadPanel service={service} />}
      {editing && <PolicyModal service={service} autoscaling={known} onClose={() => setEditing(false)} />}
    </div>
  );
}

function History({ service }: { service: Service }) {
  const { t } = useTranslation();
  const [minutes, setMinutes] = useState<number>(60);
  const [chosen, setChosen] = useState<string>();
  // By whole minutes, so that the same is not asked anew with every tick.
  const to = (Math.floor(useNow() / MINUTE) + 1) * MINUTE;
  const from = to - (minutes + 1) * MINUTE;
  const query = useQuery({
    ...read(
      '/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling/decisions',
      { params: { path: pathOf(service), query: { from: new Date(from).toISOString(), limit: MOST } } },
    ),
    placeholderData: keepPreviousData,
    refetchInterval: PERIOD,
  });
  const decisions = [...(query.data?.items ?? [])].reverse();
  const names = decisions.at(-1)?.metrics.map(({ name }) => name) ?? [];
  const metric = names.find((name) => name === chosen) ?? names[0];
  return (
    <Section
      title={t('autoscaling.history')}
      extra={
        <div className={styles.tools}>
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
          <Segmented
            size="small"
            aria-label={t('autoscaling.range')}
            value={minutes}
            onChange={setMinutes}
            options={RANGES.map((value) => ({ value, label: t(`autoscaling.range_${value}`) }))}
          />
        </div>
      }
    >
      {query.error ? (
        <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />
      ) : metric === undefined ? (
        <EmptyPanel compact title={t('autoscaling.none_title')} text={t('autoscaling.none_text')} />
      ) : (
        <DecisionChart decisions={decisions} metric={metric} from={from} to={to} />
      )}
    </Section>
  );
}
