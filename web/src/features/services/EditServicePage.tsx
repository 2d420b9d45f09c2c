import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { read } from '@/api/client';
import type { Service, ServiceSpec } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageHeader } from '@/components/PageHeader';
import { servicePath } from '@/components/paths';
import { EditForm } from './edit/EditForm';

/** A service as it was when editing began; what others change meanwhile must not move under the form. */
interface Base {
  service: Service;
  spec: ServiceSpec;
}

export function Page() {
  const { t } = useTranslation();
  const { project = '', environment = '', service: name = '' } = useParams();
  const path = { project, environment, service: name };
  const service = useQuery(
    read('/api/v1/projects/{project}/environments/{environment}/services/{service}', { params: { path } }),
  );
  const number = service.data?.revision ?? 0;
  const revision = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}', {
      params: { path: { ...path, revision: number } },
    }),
    enabled: number > 0,
    refetchInterval: false,
  });
  const [base, setBase] = useState<Base>();
  if (!base && service.data && revision.data && revision.data.number === service.data.revision) {
    setBase({ service: service.data, spec: revision.data.spec });
  }
  const error = service.error ?? revision.error;
  return (
    <>
      <PageHeader
        title={t('service.edit_title', { name })}
        trail={[
          { to: '/services', label: t('menu.services') },
          { to: servicePath(path), label: `${project}/${environment}/${name}` },
        ]}
        subtitle={base ? t('service.edit_text', { revision: base.service.revision }) : undefined}
      />
      {base ? (
        <EditForm base={base} />
      ) : error ? (
        <ErrorPanel
          error={error}
          onRetry={() => {
            void service.refetch();
            void revision.refetch();
          }}
        />
      ) : (
        <Skeleton active paragraph={{ rows: 12 }} />
      )}
    </>
  );
}
