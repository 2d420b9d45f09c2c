import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { Section } from '@/components/Section';
import { OperationSteps } from '@/components/OperationSteps';
import { Age } from '@/components/Age';
import { operationTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';
import { useOperationTitle } from '@/components/useOperationTitle';

/** The operation that is bringing the service where it should be, live. */
export function OperationCard({ id }: { id: string }) {
  const { t } = useTranslation();
  const title = useOperationTitle();
  const { data } = useQuery(read('/api/v1/operations/{operation}', { params: { path: { operation: id } } }));
  if (!data) return null;
  return (
    <Section
      title={title(data)}
      hint={
        <>
          {data.requested_by} · <Age at={data.created_at} />
        </>
      }
      extra={<StateTag tone={operationTone(data.state)} label={t(`state.operation.${data.state}`)} />}
    >
      <OperationSteps operation={data} />
    </Section>
  );
}
