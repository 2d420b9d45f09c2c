import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { VersionConflict } from '@/api/error';
import type { Service, ServiceAddress, ServiceSpec } from '@/api/types';
import { Age } from '@/components/Age';
import { ChangeList } from '@/components/ChangeList';
import { ErrorPanel } from '@/components/ErrorPanel';
import { Section } from '@/components/Section';
import { mergeValues } from '../form/changes';
import { serviceToValues } from '../form/convert';
import type { ServiceValues } from '../form/values';
import { editChanges } from './save';

interface Theirs {
  service: Service;
  spec: ServiceSpec;
}

interface Props {
  address: ServiceAddress;
  conflict: VersionConflict;
  base: ServiceValues;
  mine: ServiceValues;
  onTake: (theirs: Theirs, values: ServiceValues) => void;
}

/** Somebody else saved first: says who and what, and goes on without losing what was typed here. */
export function ConflictPanel({ address, conflict, base, mine, onTake }: Props) {
  const { t } = useTranslation();
  const panel = useRef<HTMLDivElement>(null);
  const theirs = useQuery({
    queryKey: ['conflict', address, conflict.current_version],
    refetchInterval: false,
    queryFn: async ({ signal }): Promise<Theirs> => {
      const service = await send(
        client.GET('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
          params: { path: address },
          signal,
        }),
      );
      const revision = await send(
        client.GET(
          '/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions/{revision}',
          {
            params: { path: { ...address, revision: service.revision } },
            signal,
          },
        ),
      );
      return { service, spec: revision.spec };
    },
  });
  const settled = theirs.isFetched;
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'center' });
  }, [settled]);
  const newest = theirs.data ? serviceToValues(theirs.data.service, theirs.data.spec) : undefined;
  const changes = newest ? editChanges(base, newest) : undefined;
  const merge = newest ? mergeValues(base, mine, newest) : undefined;
  const fields = conflict.changed_fields ?? [];
  return (
    <div ref={panel} style={{ marginTop: 14 }} role="alert">
      <Section
        title={t('conflict.title')}
        hint={
          <>
            {t('conflict.by', { name: conflict.changed_by ?? t('conflict.somebody') })}{' '}
            {conflict.changed_at && <Age at={conflict.changed_at} />}
            {fields.length > 0 && ` · ${fields.join(', ')}`}
          </>
        }
      >
        <div style={{ display: 'grid', gap: 14 }}>
          {theirs.error && <ErrorPanel inline error={theirs.error} onRetry={() => void theirs.refetch()} />}
          {changes && <ChangeList changes={[...changes.spec, ...changes.rest]} />}
          {merge && merge.conflicts.length > 0 && (
            <p>{t('conflict.both', { fields: merge.conflicts.join(', ') })}</p>
          )}
          <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8 }}>
            <Button
              type="primary"
              disabled={!merge}
              onClick={() => theirs.data && merge && onTake(theirs.data, merge.merged)}
            >
              {t('conflict.keep_mine')}
            </Button>
            <Button disabled={!newest} onClick={() => theirs.data && newest && onTake(theirs.data, newest)}>
              {t('conflict.take_theirs')}
            </Button>
          </div>
        </div>
      </Section>
    </div>
  );
}
