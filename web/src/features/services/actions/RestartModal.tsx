import { Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { pathOf, useServiceMutation } from './useServiceMutation';

export function RestartModal({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useTranslation();
  const restart = useServiceMutation(
    () =>
      send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/restart', {
          params: { path: pathOf(service) },
        }),
      ),
    t('service.restart_started', { name: service.name }),
    onClose,
  );
  return (
    <Modal
      open
      title={t('service.restart_title', { name: service.name })}
      okText={t('service.restart')}
      cancelText={t('action.cancel')}
      confirmLoading={restart.isPending}
      onOk={() => restart.mutate(undefined)}
      onCancel={onClose}
    >
      <p>{t('service.restart_text', { count: service.status.wanted })}</p>
      {restart.error && <ErrorPanel inline error={restart.error} />}
    </Modal>
  );
}
