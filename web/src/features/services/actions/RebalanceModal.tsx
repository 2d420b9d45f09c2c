import { useQuery } from '@tanstack/react-query';
import { InputNumber, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, read, send } from '@/api/client';
import type { Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { claims } from '@/components/quantity';
import { pathOf, useServiceMutation } from './useServiceMutation';
import styles from './actions.module.css';

/** What a new division would move, and how much of it to move. */
export function RebalanceModal({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useTranslation();
  const [most, setMost] = useState<number | null>(null);
  const plan = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/rebalance', {
      params: { path: pathOf(service) },
    }),
    staleTime: 0,
  });
  const rebalance = useServiceMutation(
    () =>
      send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/rebalance', {
          params: { path: pathOf(service) },
          body: most === null ? {} : { max_moves: most },
        }),
      ),
    t('rebalance.started', { name: service.name }),
    onClose,
  );
  const moves = plan.data?.moves ?? [];
  const left = plan.data?.volumes ?? [];
  const emptied = [...new Set(left.map(({ cluster }) => cluster))];
  return (
    <Modal
      open
      title={t('rebalance.title', { name: service.name })}
      okText={t('rebalance.action')}
      cancelText={t('action.cancel')}
      confirmLoading={rebalance.isPending}
      okButtonProps={{ disabled: moves.length === 0 }}
      onOk={() => rebalance.mutate(undefined)}
      onCancel={onClose}
    >
      {!plan.data ? (
        plan.error ? (
          <ErrorPanel inline error={plan.error} onRetry={() => void plan.refetch()} />
        ) : (
          <RowsLoading />
        )
      ) : moves.length === 0 ? (
        <p>{t('rebalance.balanced')}</p>
      ) : (
        <>
          <p>{t('rebalance.text', { count: plan.data.replicas })}</p>
          <ul className={styles.moves} aria-label={t('rebalance.moves')}>
            {moves.map(({ from, to, replicas }) => (
              <li key={`${from} ${to}`}>{t('rebalance.move', { from, to, count: replicas })}</li>
            ))}
          </ul>
          {emptied.map((cluster) => (
            <p key={cluster}>
              {t('rebalance.left_behind', {
                cluster,
                volumes: claims(left.filter((volume) => volume.cluster === cluster)),
              })}
            </p>
          ))}
          <label className={styles.pinned}>
            <span>{t('rebalance.max_moves')}</span>
            <InputNumber
              min={1}
              max={plan.data.replicas}
              precision={0}
              value={most}
              placeholder={t('rebalance.all')}
              onChange={setMost}
            />
          </label>
        </>
      )}
      {rebalance.error && <ErrorPanel inline error={rebalance.error} />}
    </Modal>
  );
}
