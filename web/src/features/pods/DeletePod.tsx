import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import type { PodAddress } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PermitButton } from '@/components/PermitButton';

/** Destroys one instance; its Deployment makes another. */
export function DeletePod({ address, onDone }: { address: PodAddress; onDone: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () =>
      client.DELETE('/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}', {
        params: { path: address },
      }),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('pod.delete_done', { pod: address.pod }));
      setAsking(false);
      onDone();
    },
  });
  return (
    <>
      <PermitButton
        danger
        size="small"
        permission="pod:delete"
        scope={address}
        onClick={() => setAsking(true)}
      >
        {t('pod.delete')}
      </PermitButton>
      <Modal
        open={asking}
        title={t('pod.delete_title')}
        okText={t('pod.delete')}
        okButtonProps={{ danger: true }}
        cancelText={t('action.cancel')}
        confirmLoading={remove.isPending}
        onOk={() => remove.mutate()}
        onCancel={() => setAsking(false)}
      >
        <p>{t('pod.delete_text', { pod: address.pod, cluster: address.cluster })}</p>
        {remove.error && <ErrorPanel inline error={remove.error} />}
      </Modal>
    </>
  );
}
