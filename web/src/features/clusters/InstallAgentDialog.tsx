import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import { Code } from '@/components/Code';
import { CopyButton } from '@/components/CopyText';
import { ErrorPanel } from '@/components/ErrorPanel';

/** Asks for the agent's image, issues its token, and shows once what to apply to the cluster. */
export function InstallAgentDialog({ cluster, onClose }: { cluster: string; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [image, setImage] = useState('');
  const [portal, setPortal] = useState(window.location.origin);
  const install = useMutation({
    mutationFn: () =>
      send(
        client.POST('/api/v1/clusters/{cluster}/agent', {
          params: { path: { cluster } },
          body: { image: image.trim(), portal_url: portal.trim() },
        }),
      ),
    onSuccess: () => void queries.invalidateQueries(),
  });
  const manifest = install.data?.manifest;
  return (
    <Modal
      open
      width={760}
      title={t('witness.install_title', { name: cluster })}
      okText={t(manifest ? 'witness.close' : 'witness.issue')}
      cancelText={t('action.cancel')}
      cancelButtonProps={manifest ? { style: { display: 'none' } } : undefined}
      okButtonProps={{ disabled: !manifest && (!image.trim() || !portal.trim()) }}
      confirmLoading={install.isPending}
      onOk={() => (manifest ? onClose() : install.mutate())}
      onCancel={onClose}
    >
      {manifest ? (
        <>
          <p>
            {t('witness.apply_text')} <CopyButton text={manifest} label={t('witness.copy')} />
          </p>
          <Code label={t('witness.manifest')}>{manifest}</Code>
        </>
      ) : (
        <Form layout="vertical" component={false}>
          <p>{t('witness.install_text')}</p>
          <Form.Item label={t('witness.image')} htmlFor="agent-image">
            <Input
              id="agent-image"
              value={image}
              placeholder="registry.example.com/longshore:1.0"
              onChange={(event) => setImage(event.target.value)}
            />
          </Form.Item>
          <Form.Item label={t('witness.portal')} htmlFor="agent-portal">
            <Input id="agent-portal" value={portal} onChange={(event) => setPortal(event.target.value)} />
          </Form.Item>
        </Form>
      )}
      {install.error && <ErrorPanel inline error={install.error} />}
    </Modal>
  );
}
