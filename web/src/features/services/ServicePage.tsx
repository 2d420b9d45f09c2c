import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { read, readOrNull } from '@/api/client';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { servicePath } from '@/components/paths';
import { TabLinks } from '@/components/TabLinks';
import { PodDrawer } from '@/features/pods/PodDrawer';
import { ServiceAction, type ServiceActionChoice } from './actions/ServiceAction';
import { AutoscalingTab } from './autoscaling/AutoscalingTab';
import { Assignments } from './detail/Assignments';
import { ConfigurationTab } from './detail/ConfigurationTab';
import { EventsTab } from './detail/EventsTab';
import { LogsTab } from './detail/LogsTab';
import { OperationCard } from './detail/OperationCard';
import { OperationsTab } from './detail/OperationsTab';
import { PodsTab } from './detail/PodsTab';
import { RevisionsTab } from './detail/RevisionsTab';
import { ServiceHeader } from './detail/ServiceHeader';
import { SingletonNotice } from './detail/SingletonNotice';
import { StatusMessage } from './detail/StatusMessage';
import { KeptVolumes, Volumes } from './detail/Volumes';
import styles from './detail/detail.module.css';

const TABS = [
  'containers',
  'logs',
  'events',
  'revisions',
  'configuration',
  'volumes',
  'autoscaling',
  'operations',
] as const;
type Tab = (typeof TABS)[number];

/** The home of a service: what runs where and why, what is wrong now, what changed last. */
export function Page() {
  const { t } = useTranslation();
  const parameters = useParams();
  const address = {
    project: parameters.project ?? '',
    environment: parameters.environment ?? '',
    service: parameters.service ?? '',
  };
  const tab = TABS.find((each) => each === parameters.tab) ?? 'containers';
  const [action, setAction] = useState<ServiceActionChoice>();
  const query = useQuery(
    readOrNull('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
      params: { path: address },
    }),
  );
  const assignments = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/assignments', {
      params: { path: address },
    }),
    enabled: Boolean(query.data),
  });

  const service = query.data;
  if (service === undefined) {
    return query.error ? (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <Skeleton active paragraph={{ rows: 10 }} />
    );
  }
  if (service === null) {
    return (
      <>
        <EmptyPanel
          whole
          title={t('service.gone_title', { name: address.service })}
          text={t('service.gone_text', { place: `${address.project}/${address.environment}` })}
        />
        <KeptVolumes address={address} />
      </>
    );
  }

  const content: Record<Tab, () => React.ReactNode> = {
    containers: () => <PodsTab address={address} />,
    logs: () => <LogsTab address={address} />,
    events: () => <EventsTab address={address} />,
    revisions: () => <RevisionsTab service={service} />,
    configuration: () => <ConfigurationTab service={service} />,
    volumes: () => <Volumes address={address} />,
    autoscaling: () => <AutoscalingTab service={service} />,
    operations: () => <OperationsTab address={address} />,
  };
  return (
    <>
      <ServiceHeader service={service} onAction={setAction} />
      {query.error && <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />}
      <div className={styles.overview}>
        <StatusMessage service={service} assignments={assignments.data?.items} />
        <SingletonNotice service={service} assignments={assignments.data?.items} onAction={setAction} />
        {service.operation && <OperationCard id={service.operation} />}
        <Assignments query={assignments} service={service} onAction={setAction} />
      </div>
      <TabLinks
        label={t('service.parts')}
        active={tab}
        tabs={TABS.map((key) => ({ key, label: t(`service.tab_${key}`), to: servicePath(address, key) }))}
      />
      {content[tab]()}
      <PodDrawer />
      <ServiceAction choice={action} onClose={() => setAction(undefined)} />
    </>
  );
}
