import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Tag, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, read, send } from '@/api/client';
import type { ServiceAddress, VolumeClaim } from '@/api/types';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Observed } from '@/components/Observed';
import { Pager } from '@/components/Pager';
import { clusterPath, servicePath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { bytes } from '@/components/quantity';
import { rowsOf } from '@/components/rowsOf';
import { Section } from '@/components/Section';
import { StateTag } from '@/components/StateTag';
import { TypeNameModal } from '@/components/TypeNameModal';
import { useListState } from '@/components/useListState';

const NAMES = [] as const;
const TONES = { bound: 'running', pending: 'progressing', lost: 'failed' } as const;

/** One service, also one that is gone, or all of an environment. */
type VolumesOf = Omit<ServiceAddress, 'service'> & { service?: string };

/** The claims that clusters have for the volumes of services. */
export function useVolumes(address: VolumesOf, paging: { limit?: number; cursor?: string }) {
  const { project, environment, service } = address;
  return useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/volumes', {
      params: { path: { project, environment }, query: { service, ...paging } },
    }),
    placeholderData: keepPreviousData,
  });
}

/** What is stored where, and what of it nothing uses any more. */
export function Volumes({ address }: { address: VolumesOf }) {
  const { t } = useTranslation();
  const list = useListState(NAMES);
  const query = useVolumes(address, { limit: list.limit, cursor: list.cursor });
  const [doomed, setDoomed] = useState<VolumeClaim>();
  const columns: TableColumnsType<VolumeClaim> = [
    ...(address.service === undefined
      ? [
          {
            key: 'service',
            title: t('word.service'),
            // Also of one that is gone: its page shows what it left.
            render: (_: unknown, item: VolumeClaim) => (
              <Link to={servicePath(item, 'volumes')}>{item.service}</Link>
            ),
          },
        ]
      : []),
    {
      key: 'volume',
      title: t('volume.volume'),
      render: (_, { claim }) => (
        <div>
          <span style={{ fontWeight: 570 }}>{claim.volume}</span>
          <div className="faint mono">{claim.name}</div>
        </div>
      ),
    },
    {
      key: 'cluster',
      title: t('word.cluster'),
      render: (_, { cluster }) => <Link to={clusterPath(cluster)}>{cluster}</Link>,
    },
    {
      key: 'phase',
      title: t('word.state'),
      render: (_, { claim, stale, observed_at }) => (
        <Observed at={observed_at} stale={stale}>
          {claim.deleting ? (
            <StateTag tone="progressing" label={t('volume.deleting')} />
          ) : (
            <StateTag
              tone={stale ? 'unknown' : TONES[claim.phase]}
              label={t(`volume.phase_${claim.phase}`)}
            />
          )}
        </Observed>
      ),
    },
    {
      key: 'size',
      title: t('volume.size'),
      align: 'end',
      render: (_, { claim }) => (
        <span className="number">
          {bytes(claim.capacity_bytes ?? claim.requested_bytes)}
          {claim.capacity_bytes && claim.capacity_bytes < claim.requested_bytes && (
            <div className="faint">{t('volume.grows', { size: bytes(claim.requested_bytes) })}</div>
          )}
        </span>
      ),
    },
    {
      key: 'class',
      title: t('volume.storage_class'),
      render: (_, { claim }) => (
        <div>
          {claim.storage_class ? (
            <span className="mono">{claim.storage_class}</span>
          ) : (
            <span className="faint">–</span>
          )}
          <div className="faint">{t(`volume.access_${claim.access}`)}</div>
        </div>
      ),
    },
    {
      key: 'use',
      title: t('volume.use'),
      render: (_, { claim, wanted }) =>
        claim.in_use ? t('volume.in_use') : wanted ? t('volume.not_in_use') : <Tag>{t('volume.kept')}</Tag>,
    },
    {
      key: 'delete',
      title: t('word.actions'),
      align: 'end',
      render: (_, item) => (
        <PermitButton
          size="small"
          danger
          permission="service:delete"
          aria-label={t('volume.delete_of', { name: item.claim.name, cluster: item.cluster })}
          blocked={blockedBy(item, t)}
          onClick={() => setDoomed(item)}
        >
          {t('action.delete')}
        </PermitButton>
      ),
    },
  ];
  return (
    <>
      <DataTable<VolumeClaim>
        label={t('volume.title')}
        columns={columns}
        rowKey={({ cluster, claim }) => `${cluster}/${claim.name}`}
        {...rowsOf(query)}
        empty={<EmptyPanel compact title={t('volume.empty_title')} text={t('volume.empty_text')} />}
        footer={<Pager paging={list.paging} page={query.data} />}
      />
      {doomed && <DeleteVolume item={doomed} onClose={() => setDoomed(undefined)} />}
    </>
  );
}

/** What a service that is gone left stored. */
export function KeptVolumes({ address }: { address: ServiceAddress }) {
  const { t } = useTranslation();
  const query = useVolumes(address, { limit: 1 });
  if (!query.data || query.data.items.length === 0) return null;
  return (
    <Section title={t('volume.kept_title')} hint={t('volume.kept_hint')}>
      <Volumes address={address} />
    </Section>
  );
}

/** Why a claim can't be deleted now. */
function blockedBy(
  { claim, wanted, stale }: VolumeClaim,
  t: (
    key: 'volume.deleting' | 'volume.blocked_wanted' | 'volume.blocked_in_use' | 'volume.blocked_stale',
  ) => string,
): string | undefined {
  if (claim.deleting) return t('volume.deleting');
  if (wanted) return t('volume.blocked_wanted');
  if (claim.in_use) return t('volume.blocked_in_use');
  if (stale) return t('volume.blocked_stale');
  return undefined;
}

function DeleteVolume({ item, onClose }: { item: VolumeClaim; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const { project, environment, cluster, claim } = item;
  const remove = useMutation({
    mutationFn: () =>
      send(
        client.DELETE('/api/v1/projects/{project}/environments/{environment}/volumes/{cluster}/{claim}', {
          params: {
            path: { project, environment, cluster, claim: claim.name },
            query: { confirm: claim.name },
          },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('volume.deleted', { name: claim.name, cluster }));
      onClose();
    },
  });
  return (
    <TypeNameModal
      name={claim.name}
      title={t('volume.delete_title', { name: claim.name, cluster })}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>{t('volume.delete_text', { size: bytes(claim.capacity_bytes ?? claim.requested_bytes) })}</p>
    </TypeNameModal>
  );
}
