import { Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { ServiceAddress } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { useServiceMutation } from './useServiceMutation';

interface Props {
  address: ServiceAddress;
  /** Where it may still run. */
  clusters: string[];
  onClose: () => void;
}

const SHORTEST = 20;
const LONGEST = 500;

/** Has somebody say in words why a singleton may start elsewhere though nobody saw it end. */
export function AcceptRiskModal({ address, clusters, onClose }: Props) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  const name = address.service;
  const names = clusters.join(', ');
  const accept = useServiceMutation(
    () =>
      send(
        client.POST(
          '/api/v1/projects/{project}/environments/{environment}/services/{service}/accepted-risks',
          { params: { path: address }, body: { clusters, reason: reason.trim() } },
        ),
      ),
    t('singleton.accepted', { name }),
    onClose,
  );
  return (
    <Modal
      open
      title={t('singleton.accept_title', { name })}
      okText={t('singleton.accept')}
      cancelText={t('action.cancel')}
      okButtonProps={{ danger: true, disabled: reason.trim().length < SHORTEST }}
      confirmLoading={accept.isPending}
      onOk={() => accept.mutate(undefined)}
      onCancel={onClose}
    >
      <p>{t('singleton.accept_text', { name, clusters: names })}</p>
      <Input.TextArea
        value={reason}
        rows={3}
        maxLength={LONGEST}
        aria-label={t('singleton.reason')}
        placeholder={t('singleton.reason')}
        onChange={(event) => setReason(event.target.value)}
      />
      <p className="faint">{t('singleton.reason_hint', { shortest: SHORTEST })}</p>
      {accept.error && <ErrorPanel inline error={accept.error} />}
    </Modal>
  );
}
