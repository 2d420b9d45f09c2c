import { Checkbox, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Service } from '@/api/types';
import { usePermission } from '@/features/session/permissions';
import { pathOf } from '../actions/useServiceMutation';
import type { ServiceValues } from '../form/values';
import { ReviewChanges } from './ReviewChanges';
import type { EditChanges } from './save';

interface Props {
  service: Service;
  changes: EditChanges;
  before: ServiceValues;
  after: ServiceValues;
  pending: boolean;
  onSave: (comment: string, release: boolean) => void;
  onClose: () => void;
}

/** The difference before it is saved. */
export function ReviewModal({ service, changes, before, after, pending, onSave, onClose }: Props) {
  const { t } = useTranslation();
  const mayRelease = usePermission('service:release', pathOf(service));
  const [comment, setComment] = useState('');
  const [release, setRelease] = useState(mayRelease.allowed);
  const nothing = changes.spec.length === 0 && changes.rest.length === 0;
  return (
    <Modal
      open
      width={880}
      title={t('service.review_title', { name: service.name })}
      okText={t(changes.spec.length > 0 && release ? 'service.save_and_release' : 'action.save')}
      okButtonProps={{ disabled: nothing }}
      cancelText={t('service.back_to_form')}
      confirmLoading={pending}
      onOk={() => onSave(comment, release)}
      onCancel={onClose}
    >
      <div style={{ display: 'grid', gap: 16 }}>
        {nothing ? (
          <p>{t('service.no_changes')}</p>
        ) : (
          <ReviewChanges
            changes={changes}
            before={before}
            after={after}
            revision={service.latest_revision + 1}
          />
        )}
        {changes.spec.length > 0 && (
          <>
            <label style={{ display: 'grid', gap: 4 }}>
              <span>{t('word.comment')}</span>
              <Input
                value={comment}
                maxLength={500}
                placeholder={t('service.comment_hint')}
                onChange={({ target }) => setComment(target.value)}
              />
            </label>
            <Checkbox
              checked={release}
              disabled={!mayRelease.allowed}
              onChange={({ target }) => setRelease(target.checked)}
            >
              {t('service.release_now')}{' '}
              <span className="faint">{mayRelease.reason ?? t('service.release_now_hint')}</span>
            </Checkbox>
          </>
        )}
      </div>
    </Modal>
  );
}
