import { Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { pathOf, useServiceMutation } from '../actions/useServiceMutation';
import { RevisionDiffView } from './RevisionDiffView';

interface Props {
  service: Service;
  revision: number;
  onClose: () => void;
}

/** Moves the service to an existing revision, after showing what that changes. */
export function ReleaseModal({ service, revision, onClose }: Props) {
  const { t } = useTranslation();
  const back = revision < service.revision;
  const [comment, setComment] = useState('');
  const release = useServiceMutation(
    () =>
      send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/releases', {
          params: { path: pathOf(service) },
          body: { revision, comment },
        }),
      ),
    t('revision.release_started', { name: service.name, revision }),
    onClose,
  );
  return (
    <Modal
      open
      width={760}
      title={t(back ? 'revision.roll_back_title' : 'revision.release_title', {
        name: service.name,
        revision,
      })}
      okText={t(back ? 'revision.roll_back' : 'revision.release')}
      cancelText={t('action.cancel')}
      confirmLoading={release.isPending}
      onOk={() => release.mutate(undefined)}
      onCancel={onClose}
    >
      <div style={{ display: 'grid', gap: 14 }}>
        <p className="muted">{t('revision.release_text', { from: service.revision, to: revision })}</p>
        <RevisionDiffView service={service} from={service.revision} to={revision} />
        <label style={{ display: 'grid', gap: 4 }}>
          <span>{t('word.comment')}</span>
          <Input
            value={comment}
            maxLength={500}
            placeholder={t('service.comment_hint')}
            onChange={(event) => setComment(event.target.value)}
          />
        </label>
        {release.error && <ErrorPanel inline error={release.error} />}
      </div>
    </Modal>
  );
}
