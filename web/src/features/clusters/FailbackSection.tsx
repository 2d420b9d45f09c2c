import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, InputNumber, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, read, send } from '@/api/client';
import type { Cluster, Failback, PlannedReturn } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { OperationSteps } from '@/components/OperationSteps';
import { PermitButton } from '@/components/PermitButton';
import { claims } from '@/components/quantity';
import { Section } from '@/components/Section';
import { MovesTable } from './MovesTable';
import styles from './clusters.module.css';

/** What left a cluster that is in use again, and moving it back. */
export function FailbackSection({ cluster, failback }: { cluster: Cluster; failback: Failback }) {
  const { t } = useTranslation();
  const { operation } = failback;
  const [asking, setAsking] = useState(false);
  const change = useChange(cluster.name, () => undefined);
  return (
    <Section
      title={t(operation ? 'failback.under_way' : 'failback.title')}
      extra={
        operation ? (
          <PermitButton
            permission="cluster:write"
            loading={change.isPending}
            onClick={() => change.mutate('stop')}
          >
            {t('failback.stop')}
          </PermitButton>
        ) : (
          <PermitButton
            permission="cluster:write"
            blocked={cluster.state === 'ready' ? undefined : t('failback.not_ready')}
            onClick={() => setAsking(true)}
          >
            {t('failback.begin')}
          </PermitButton>
        )
      }
    >
      {operation ? (
        <Progress id={operation} />
      ) : (
        <p>
          {t('failback.left', {
            count: failback.replicas_left,
            services: t('cluster.services', { count: failback.services_left }),
          })}
        </p>
      )}
      {change.error && <ErrorPanel inline error={change.error} />}
      {asking && <FailbackDialog cluster={cluster.name} onClose={() => setAsking(false)} />}
    </Section>
  );
}

function Progress({ id }: { id: string }) {
  const { data } = useQuery(read('/api/v1/operations/{operation}', { params: { path: { operation: id } } }));
  return data ? <OperationSteps operation={data} /> : <RowsLoading />;
}

/** Stops moving back, or begins it with at most so many percent at a time, or with what each environment says. */
function useChange(name: string, onDone: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const path = { params: { path: { cluster: name } } };
  return useMutation({
    mutationFn: async (change: 'stop' | { percent: number | null }) => {
      if (change === 'stop') await send(client.DELETE('/api/v1/clusters/{cluster}/failback', path));
      else await send(client.POST('/api/v1/clusters/{cluster}/failback', { ...path, body: change }));
    },
    onSuccess: (_, change) => {
      onDone();
      void message.success(t(change === 'stop' ? 'failback.stopped' : 'failback.started', { name }));
      void queries.invalidateQueries();
    },
  });
}

function FailbackDialog({ cluster, onClose }: { cluster: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<number | null>(null);
  const plan = useQuery({
    ...read('/api/v1/clusters/{cluster}/failback', { params: { path: { cluster } } }),
    staleTime: 0,
  });
  const begin = useChange(cluster, onClose);
  return (
    <Modal
      open
      title={t('failback.dialog_title', { name: cluster })}
      okText={t('failback.begin')}
      cancelText={t('action.cancel')}
      okButtonProps={{ disabled: !plan.data || plan.data.replicas === 0 }}
      confirmLoading={begin.isPending}
      onOk={() => begin.mutate({ percent: chosen })}
      onCancel={onClose}
    >
      <div className={styles.stack}>
        <p>{t('failback.text')}</p>
        {plan.data ? (
          <>
            <MovesTable<PlannedReturn>
              label={t('failback.moves')}
              replicas={t('failback.returning')}
              moves={plan.data.moves}
              services={plan.data.services}
              columns={[
                {
                  key: 'percent',
                  title: t('failback.percent'),
                  className: 'number',
                  render: (_, move) => `${move.percent} %`,
                },
                ...(plan.data.moves.some(({ volumes = [] }) => volumes.length > 0)
                  ? [
                      {
                        key: 'volumes',
                        title: t('failback.finds'),
                        render: (_: unknown, { volumes = [] }: PlannedReturn) => claims(volumes),
                      },
                    ]
                  : []),
              ]}
            />
            <label>
              {t('failback.percent')}{' '}
              <InputNumber
                min={1}
                max={100}
                precision={0}
                suffix="%"
                aria-label={t('failback.percent')}
                value={chosen}
                onChange={setChosen}
              />{' '}
              <span className="faint">{t('failback.as_environments')}</span>
            </label>
          </>
        ) : plan.error ? (
          <ErrorPanel inline error={plan.error} onRetry={() => void plan.refetch()} />
        ) : (
          <RowsLoading />
        )}
        {begin.error && <ErrorPanel inline error={begin.error} />}
      </div>
    </Modal>
  );
}
