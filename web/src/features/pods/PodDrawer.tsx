import { useQuery } from '@tanstack/react-query';
import { Drawer, Tabs } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { asApiError } from '@/api/error';
import type { PodAddress } from '@/api/types';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { DeletePod } from './DeletePod';
import { EventTable } from './EventTable';
import { PodLog } from './log/PodLog';
import { PodOverview } from './PodOverview';
import { useOpenPod } from './usePodLink';

/** The pod that the URL names, over the page one is on. */
export function PodDrawer() {
  const { address, close } = useOpenPod();
  return (
    <Drawer
      open={address !== undefined}
      onClose={close}
      size="min(1040px, 97vw)"
      title={<span className="mono">{address?.pod}</span>}
      extra={address && <DeletePod address={address} onDone={close} />}
      destroyOnHidden
    >
      {address && <PodContent key={JSON.stringify(address)} address={address} />}
    </Drawer>
  );
}

function PodContent({ address }: { address: PodAddress }) {
  const { t } = useTranslation();
  const [tab, setTab] = useState('overview');
  const path = { params: { path: address } };
  const pod = useQuery(
    read('/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}', path),
  );
  const events = useQuery({
    ...read(
      '/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}/events',
      path,
    ),
    enabled: tab === 'events',
  });
  const gone = pod.error !== null && asApiError(pod.error).status === 404;
  if (!pod.data || gone) {
    if (!pod.error) return <RowsLoading />;
    return gone ? (
      <EmptyPanel title={t('pod.gone_title')} text={t('pod.gone_text', { cluster: address.cluster })} />
    ) : (
      <ErrorPanel error={pod.error} onRetry={() => void pod.refetch()} />
    );
  }
  return (
    <>
      {pod.error && <ErrorPanel inline error={pod.error} onRetry={() => void pod.refetch()} />}
      <Tabs
        activeKey={tab}
        onChange={setTab}
        destroyOnHidden
        items={[
          { key: 'overview', label: t('pod.tab_overview'), children: <PodOverview detail={pod.data} /> },
          {
            key: 'logs',
            label: t('service.tab_logs'),
            children: <PodLog address={address} containers={pod.data.containers.map(({ name }) => name)} />,
          },
          { key: 'events', label: t('service.tab_events'), children: <EventTable query={events} /> },
        ]}
      />
    </>
  );
}
