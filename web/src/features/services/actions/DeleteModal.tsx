import { Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { Service } from '@/api/types';
import { TypeNameModal } from '@/components/TypeNameModal';
import { useVolumes } from '../detail/Volumes';
import { pathOf, useServiceMutation } from './useServiceMutation';

export function DeleteModal({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useTranslation();
  const [withData, setWithData] = useState(false);
  const stored = useVolumes(pathOf(service), { limit: 1 }).data?.total_estimate ?? 0;
  const remove = useServiceMutation(
    () =>
      send(
        client.DELETE('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
          params: { path: pathOf(service), query: { delete_volumes: withData } },
        }),
      ),
    t('service.delete_started', { name: service.name }),
    onClose,
  );
  return (
    <TypeNameModal
      name={service.name}
      title={t('service.delete_title', { name: service.name })}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      <p>{t('service.delete_text', { place: `${service.project}/${service.environment}` })}</p>
      <ul>
        <li>{t('service.delete_replicas', { count: service.status.wanted })}</li>
        <li>{t('service.delete_objects')}</li>
        <li>{t('service.delete_revisions', { count: service.latest_revision })}</li>
      </ul>
      {stored > 0 && (
        <>
          <p>{t('volume.stays', { count: stored })}</p>
          <Checkbox checked={withData} onChange={(event) => setWithData(event.target.checked)}>
            {t('volume.delete_too')}
          </Checkbox>
        </>
      )}
    </TypeNameModal>
  );
}
