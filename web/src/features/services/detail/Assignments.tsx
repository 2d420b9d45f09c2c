import type { UseQueryResult } from '@tanstack/react-query';
import { Button, Space, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Assignment, Page, Service } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Observed } from '@/components/Observed';
import { clusterPath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { PlacementWhy } from '@/components/PlacementWhy';
import { beyondCounts } from '@/components/problemReason';
import { Replicas } from '@/components/Replicas';
import { rowsOf } from '@/components/rowsOf';
import { Section } from '@/components/Section';
import { ShortMessage } from '@/components/ShortMessage';
import { syncTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';
import type { ServiceActionChoice } from '../actions/ServiceAction';
import { pathOf } from '../actions/useServiceMutation';
import { WhyElsewhere } from './WhyElsewhere';

interface Props {
  query: UseQueryResult<Page<Assignment>>;
  service: Service;
  onAction: (choice: ServiceActionChoice) => void;
}

/** What runs where, and why there. */
export function Assignments({ query, service, onAction }: Props) {
  const { t } = useTranslation();
  const [elsewhere, setElsewhere] = useState(false);
  const pinned = service.placement.strategy?.type === 'pinned';
  const blocked = service.deleting ? t('service.being_deleted') : pinned ? t('rebalance.pinned') : undefined;
  const columns: TableColumnsType<Assignment> = [
    {
      key: 'cluster',
      title: t('word.cluster'),
      render: (_, { cluster, region, cluster_ready }) => (
        <div>
          <Link to={clusterPath(cluster)}>{cluster}</Link>
          <div className="faint">
            {region}
            {!cluster_ready && ` · ${t('assignment.cluster_away')}`}
          </div>
        </div>
      ),
    },
    {
      key: 'sync',
      title: t('word.state'),
      render: (_, { sync, message }) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 320 }}>
          <StateTag tone={syncTone(sync)} label={t(`state.sync.${sync}`)} />
          {beyondCounts(message) && <ShortMessage message={beyondCounts(message)} />}
        </div>
      ),
    },
    {
      key: 'ready',
      title: t('assignment.ready'),
      render: (_, { replicas, observed }) =>
        observed ? (
          <Observed at={observed.observed_at} stale={observed.stale}>
            <Replicas
              ready={observed.stale ? 0 : observed.ready}
              unknown={observed.stale ? observed.ready : 0}
              wanted={replicas}
            />
          </Observed>
        ) : (
          <Replicas ready={0} unknown={0} wanted={replicas} />
        ),
    },
    {
      key: 'revision',
      title: t('word.revision'),
      responsive: ['sm'],
      render: (_, { observed }) =>
        observed?.revision ? (
          <Observed at={observed.observed_at} stale={observed.stale}>
            <span className="number">
              {observed.revision}
              {observed.revision === service.revision && observed.updated < observed.replicas && (
                <span className="faint"> · {t('assignment.updated', { ...observed })}</span>
              )}
            </span>
          </Observed>
        ) : (
          <span className="faint">–</span>
        ),
    },
    {
      key: 'why',
      title: t('assignment.why'),
      responsive: ['md'],
      render: (_, { reason, decided_at }) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 'min(380px, 20vw)' }}>
          <PlacementWhy reason={reason} />
          <div className="faint">
            {t('placement.decided')} <Age at={decided_at} />
          </div>
        </div>
      ),
    },
    {
      key: 'seen',
      title: t('assignment.seen'),
      responsive: ['lg'],
      render: (_, { observed }) => <Age at={observed?.observed_at} className="faint" />,
    },
  ];
  return (
    <Section
      title={t('assignment.title')}
      hint={t(`placement.${service.placement.strategy?.type ?? 'free_capacity'}`)}
      flush
      extra={
        <Space wrap>
          <Button aria-expanded={elsewhere} onClick={() => setElsewhere(!elsewhere)}>
            {t('placement.why_not_elsewhere')}
          </Button>
          <PermitButton
            permission="service:write"
            scope={pathOf(service)}
            blocked={blocked}
            onClick={() => onAction({ kind: 'rebalance', service })}
          >
            {t('rebalance.action')}
          </PermitButton>
        </Space>
      }
    >
      <DataTable<Assignment>
        bare
        label={t('assignment.title')}
        rowKey="cluster"
        columns={columns}
        {...rowsOf(query)}
        empty={<EmptyPanel compact title={t('assignment.empty_title')} text={t('assignment.empty_text')} />}
      />
      {elsewhere && <WhyElsewhere service={service} />}
    </Section>
  );
}
