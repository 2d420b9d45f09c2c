import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, read, send } from '@/api/client';
import type { Cluster, Evacuation, ServiceAddress } from '@/api/types';
import { Age } from '@/components/Age';
import { ErrorPanel } from '@/components/ErrorPanel';
import { OperationSteps } from '@/components/OperationSteps';
import { servicePath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { AcceptRiskModal } from '@/features/services/actions/AcceptRiskModal';
import styles from './clusters.module.css';

interface Props {
  cluster: Cluster;
  evacuation: Evacuation;
}

/** How far the emptying of a cluster is, who ordered it and why, and the way back. */
export function EvacuationSection({ cluster, evacuation }: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { data: operation } = useQuery(
    read('/api/v1/operations/{operation}', { params: { path: { operation: evacuation.operation } } }),
  );
  const { complete, services_left, singletons_left, reason } = evacuation;
  const { requested_by, requested_at, automatic, environments } = evacuation;
  // Of a whole cluster only what can't follow stays.
  const stays = !automatic && cluster.services > 0;
  return (
    <Section
      title={t(complete ? 'evacuation.done' : 'evacuation.under_way')}
      hint={
        <>
          {automatic ? t('evacuation.automatic', { environments: environments.join(', ') }) : requested_by} ·{' '}
          <Age at={requested_at} />
          {reason && ` · ${reason}`}
        </>
      }
      extra={
        <PermitButton permission="cluster:write" onClick={() => setAsking(true)}>
          {t('evacuation.take_back')}
        </PermitButton>
      }
    >
      {operation && !operation.finished_at ? (
        <OperationSteps operation={operation} />
      ) : (
        <p>
          {!complete
            ? t('evacuation.left', { count: services_left })
            : stays
              ? t('evacuation.done_stored', { count: cluster.services })
              : t(cluster.state === 'ready' ? 'evacuation.done_ready' : 'evacuation.done_away')}
        </p>
      )}
      {singletons_left && singletons_left.length > 0 && (
        <SingletonsLeft cluster={cluster.name} paths={singletons_left} />
      )}
      {asking && <TakeBackDialog cluster={cluster} onClose={() => setAsking(false)} />}
    </Section>
  );
}

/** Singletons that may still run there, and the way to start them elsewhere all the same. */
function SingletonsLeft({ cluster, paths }: { cluster: string; paths: string[] }) {
  const { t } = useTranslation();
  const [accepting, setAccepting] = useState<ServiceAddress>();
  return (
    <>
      <p>{t('evacuation.fenced', { count: paths.length })}</p>
      <ul className={styles.singletons} aria-label={t('evacuation.singletons')}>
        {paths.map((path) => {
          const [project = '', environment = '', service = ''] = path.split('/');
          const address = { project, environment, service };
          return (
            <li key={path}>
              <Link to={servicePath(address)}>{service}</Link>{' '}
              <span className="faint">
                {project} / {environment}
              </span>{' '}
              <PermitButton
                danger
                size="small"
                permission="cluster:write"
                aria-label={t('singleton.accept_of', { name: service })}
                onClick={() => setAccepting(address)}
              >
                {t('singleton.accept')}
              </PermitButton>
            </li>
          );
        })}
      </ul>
      {accepting && (
        <AcceptRiskModal address={accepting} clusters={[cluster]} onClose={() => setAccepting(undefined)} />
      )}
    </>
  );
}

function TakeBackDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const { name } = cluster;
  const queries = useQueryClient();
  const { message } = App.useApp();
  const change = useMutation({
    mutationFn: () =>
      send(client.DELETE('/api/v1/clusters/{cluster}/evacuation', { params: { path: { cluster: name } } })),
    onSuccess: () => {
      onClose();
      void message.success(t('evacuation.taken_back', { name }));
      void queries.invalidateQueries();
    },
  });
  return (
    <Modal
      open
      title={t('evacuation.take_back_title', { name })}
      okText={t('evacuation.take_back')}
      cancelText={t('action.cancel')}
      confirmLoading={change.isPending}
      onOk={() => change.mutate()}
      onCancel={onClose}
    >
      <p>{t('evacuation.take_back_text')}</p>
      {change.error && <ErrorPanel inline error={change.error} />}
    </Modal>
  );
}
