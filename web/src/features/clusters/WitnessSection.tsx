import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '@/api/client';
import type { Cluster, Witness } from '@/api/types';
import { Age } from '@/components/Age';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { StateTag } from '@/components/StateTag';
import { InstallAgentDialog } from './InstallAgentDialog';
import styles from './clusters.module.css';

/** Who says whether a cluster is alive, and how to add or take away the second of them. */
export function WitnessSection({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const [installing, setInstalling] = useState(false);
  const [removing, setRemoving] = useState(false);
  const agent = cluster.witnesses.some(({ kind }) => kind === 'agent');
  const blocked = cluster.state === 'removing' ? t('cluster.being_removed') : undefined;
  return (
    <Section
      title={t('witness.title')}
      hint={t(agent ? 'witness.hint' : 'witness.one')}
      extra={
        <div className={styles.labels}>
          {agent && (
            <PermitButton permission="cluster:write" blocked={blocked} onClick={() => setRemoving(true)}>
              {t('witness.remove')}
            </PermitButton>
          )}
          <PermitButton permission="cluster:write" blocked={blocked} onClick={() => setInstalling(true)}>
            {t(agent ? 'witness.install_anew' : 'witness.install')}
          </PermitButton>
        </div>
      }
    >
      <dl className={styles.pairs}>
        {cluster.witnesses.map((witness) => (
          <One key={witness.kind} witness={witness} />
        ))}
      </dl>
      {installing && <InstallAgentDialog cluster={cluster.name} onClose={() => setInstalling(false)} />}
      {removing && <RemoveAgentDialog cluster={cluster.name} onClose={() => setRemoving(false)} />}
    </Section>
  );
}

function One({ witness }: { witness: Witness }) {
  const { t } = useTranslation();
  const { kind, fresh, counts, heard_at, message } = witness;
  const word = fresh ? 'fresh' : counts ? 'silent' : 'unheard';
  const tone = fresh ? 'running' : counts ? 'failed' : 'unknown';
  return (
    <>
      <dt>{t(`witness.${kind}`)}</dt>
      <dd>
        <StateTag tone={tone} label={t(`witness.${word}`)} />{' '}
        {heard_at && (
          <span className="muted">
            {t('witness.heard')} <Age at={heard_at} />
          </span>
        )}
        {message && <p className="muted">{message}</p>}
      </dd>
    </>
  );
}

function RemoveAgentDialog({ cluster, onClose }: { cluster: string; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const change = useMutation({
    mutationFn: async () => {
      await client.DELETE('/api/v1/clusters/{cluster}/agent', { params: { path: { cluster } } });
    },
    onSuccess: () => {
      onClose();
      void message.success(t('witness.removed', { name: cluster }));
      void queries.invalidateQueries();
    },
  });
  return (
    <Modal
      open
      title={t('witness.remove_title', { name: cluster })}
      okText={t('witness.remove')}
      okButtonProps={{ danger: true }}
      cancelText={t('action.cancel')}
      confirmLoading={change.isPending}
      onOk={() => change.mutate()}
      onCancel={onClose}
    >
      <p>{t('witness.remove_text')}</p>
      {change.error && <ErrorPanel inline error={change.error} />}
    </Modal>
  );
}
