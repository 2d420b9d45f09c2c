import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Input, Modal, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, read, send } from '@/api/client';
import type { Cluster, EvacuationPlan, PlannedMove } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { claims } from '@/components/quantity';
import { MovesTable } from './MovesTable';
import styles from './clusters.module.css';

interface Props {
  cluster: Cluster;
  onClose: () => void;
}

/** What emptying a cluster would do now, and the order to do it. */
export function EvacuationDialog({ cluster, onClose }: Props) {
  const { t } = useTranslation();
  const { name } = cluster;
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [reason, setReason] = useState('');
  const [accepted, setAccepted] = useState(false);
  const [stored, setStored] = useState(false);
  const path = { cluster: name };
  const plan = useQuery({
    ...read('/api/v1/clusters/{cluster}/evacuation', {
      params: { path, query: { include_stored: stored } },
    }),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  const order = useMutation({
    mutationFn: () =>
      send(
        client.POST('/api/v1/clusters/{cluster}/evacuation', {
          params: { path },
          body: { reason: reason.trim(), accept_unplaced: accepted, include_stored: stored },
        }),
      ),
    onSuccess: () => {
      onClose();
      void message.success(t('evacuation.started', { name }));
      void queries.invalidateQueries();
    },
  });
  const unplaced = plan.data?.replicas_unplaced ?? 0;
  const staying = plan.data?.services_stored ?? 0;
  return (
    <Modal
      open
      width={760}
      title={t('evacuation.title', { name })}
      okText={t('evacuation.order')}
      cancelText={t('action.cancel')}
      okButtonProps={{
        danger: true,
        disabled: !plan.data || plan.isPlaceholderData || (unplaced > 0 && !accepted),
      }}
      confirmLoading={order.isPending}
      onOk={() => order.mutate()}
      onCancel={onClose}
    >
      <div className={styles.stack}>
        <p>{t(cluster.state === 'ready' ? 'evacuation.text_ready' : 'evacuation.text_away', { name })}</p>
        {plan.data ? (
          <Plan plan={plan.data} />
        ) : plan.error ? (
          <ErrorPanel inline error={plan.error} onRetry={() => void plan.refetch()} />
        ) : (
          <RowsLoading />
        )}
        {(stored || staying > 0) && (
          <Checkbox checked={stored} onChange={(event) => setStored(event.target.checked)}>
            {t('evacuation.include_stored')}
          </Checkbox>
        )}
        {unplaced > 0 && (
          <Checkbox checked={accepted} onChange={(event) => setAccepted(event.target.checked)}>
            {t('evacuation.accept', { count: unplaced })}
          </Checkbox>
        )}
        <Input
          value={reason}
          maxLength={500}
          aria-label={t('evacuation.reason')}
          placeholder={t('evacuation.reason')}
          onChange={(event) => setReason(event.target.value)}
        />
        {order.error && <ErrorPanel inline error={order.error} />}
      </div>
    </Modal>
  );
}

function Plan({ plan }: { plan: EvacuationPlan }) {
  const { t } = useTranslation();
  const staying = plan.services_stored ?? 0;
  const all = plan.services + staying;
  if (all === 0) return <p className="muted">{t('evacuation.nothing')}</p>;
  const columns: TableColumnsType<PlannedMove> = [
    {
      key: 'to',
      title: t('evacuation.then'),
      render: (_, { to, unplaced, handover, message, volumes = [] }) => (
        <div style={{ whiteSpace: 'normal' }}>
          {to.map(({ cluster, replicas }) => `${cluster} ${replicas}`).join(', ')}
          {(unplaced > 0 || handover === 'fenced') && <p className="muted">{message}</p>}
          {handover === 'stays' && <p className="muted">{t('evacuation.stays')}</p>}
          {volumes.length > 0 && (
            <p className="muted">{t('evacuation.left_behind', { volumes: claims(volumes) })}</p>
          )}
          {handover === 'break_before_make' && <p className="muted">{t('evacuation.break_before_make')}</p>}
        </div>
      ),
    },
  ];
  return (
    <>
      <p>
        <strong>{t('cluster.services', { count: plan.services })}</strong> ·{' '}
        {t('cluster.replicas', { count: plan.replicas })}
        {plan.destinations.length > 0 && ' → '}
        {plan.destinations.map(({ cluster, replicas }) => `${cluster} +${replicas}`).join(', ')}
      </p>
      {plan.replicas_unplaced > 0 && (
        <p className={styles.check}>
          {t('evacuation.unplaced', {
            count: plan.replicas_unplaced,
            services: t('cluster.services', { count: plan.services_unplaced }),
          })}
        </p>
      )}
      {plan.services_fenced !== undefined && plan.services_fenced > 0 && (
        <p className={styles.check}>{t('evacuation.fenced', { count: plan.services_fenced })}</p>
      )}
      {staying > 0 && <p className={styles.check}>{t('evacuation.stored', { count: staying })}</p>}
      <MovesTable<PlannedMove>
        label={t('evacuation.moves')}
        replicas={t('evacuation.leaving')}
        moves={plan.moves}
        services={all}
        remark={({ priority }) => (priority === 'normal' ? '' : ` · ${t(`placement.priority_${priority}`)}`)}
        columns={columns}
      />
    </>
  );
}
