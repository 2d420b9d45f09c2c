import { useQuery } from '@tanstack/react-query';
import { InputNumber, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, ifMatch, read, send } from '@/api/client';
import type { Placement, Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PreviewRows } from '../PreviewRows';
import { usePlacementPreview } from '../usePlacementPreview';
import { pathOf, useServiceMutation } from './useServiceMutation';
import styles from './actions.module.css';

/** How many replicas, and where they would go; a pinned service is scaled cluster by cluster. */
export function ScaleModal({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useTranslation();
  const { strategy } = service.placement;
  const [replicas, setReplicas] = useState(service.replicas);
  const [pinned, setPinned] = useState(strategy?.type === 'pinned' ? strategy.replicas : undefined);
  const wanted = pinned ? Object.values(pinned).reduce((sum, count) => sum + count, 0) : replicas;
  const placement: Placement = pinned
    ? { ...service.placement, strategy: { type: 'pinned', replicas: pinned } }
    : service.placement;

  const revision = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}', {
      params: { path: { ...pathOf(service), revision: service.revision } },
    }),
    refetchInterval: false,
  });
  const autoscaling = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling', {
      params: { path: pathOf(service) },
    }),
    refetchInterval: false,
  });
  const policy = autoscaling.data?.policy;
  const byPolicy = Boolean(policy) && !policy?.paused && !policy?.dry_run && service.replicas > 0;
  const preview = usePlacementPreview({
    project: service.project,
    environment: service.environment,
    service: service.name,
    replicas: wanted,
    placement,
    resources: revision.data?.spec.resources,
  });
  const scale = useServiceMutation(
    () =>
      send(
        client.PATCH('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
          params: { path: pathOf(service), header: ifMatch(service.version) },
          body: pinned ? { placement } : { replicas },
        }),
      ),
    t('service.scale_started', { name: service.name, count: wanted }),
    onClose,
  );

  return (
    <Modal
      open
      title={t('service.scale_title', { name: service.name })}
      okText={t('service.scale')}
      cancelText={t('action.cancel')}
      confirmLoading={scale.isPending}
      okButtonProps={{ disabled: byPolicy || (!pinned && replicas === service.replicas) }}
      onOk={() => scale.mutate(undefined)}
      onCancel={onClose}
    >
      {pinned ? (
        Object.entries(pinned).map(([cluster, count]) => (
          <label key={cluster} className={styles.pinned}>
            <span>{cluster}</span>
            <InputNumber
              min={0}
              max={100_000}
              precision={0}
              value={count}
              onChange={(value) => setPinned({ ...pinned, [cluster]: value ?? 0 })}
            />
          </label>
        ))
      ) : (
        <label className={styles.pinned}>
          <span>{t('word.replicas')}</span>
          <InputNumber
            min={0}
            max={100_000}
            precision={0}
            value={replicas}
            onChange={(value) => setReplicas(value ?? 0)}
          />
        </label>
      )}
      {byPolicy && <p className={styles.warning}>{t('autoscaling.set_by_policy')}</p>}
      {wanted === 0 && <p className={styles.warning}>{t('service.scale_none')}</p>}
      {preview.data && (
        <div className={styles.preview} aria-live="polite">
          <h2>{t('preview.title')}</h2>
          <PreviewRows preview={preview.data} />
        </div>
      )}
      {scale.error && <ErrorPanel inline error={scale.error} />}
    </Modal>
  );
}
