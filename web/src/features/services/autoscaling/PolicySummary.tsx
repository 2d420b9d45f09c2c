import { Popconfirm } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { Autoscaling, AutoscalingPolicy, Service } from '@/api/types';
import { Age } from '@/components/Age';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { StateTag } from '@/components/StateTag';
import { pathOf, useServiceMutation } from '../actions/useServiceMutation';
import { policyToValues } from './policyValues';
import styles from './autoscaling.module.css';

interface Props {
  service: Service;
  policy: AutoscalingPolicy;
  autoscaling: Autoscaling;
  onEdit: () => void;
}

/** The policy in short, whether it works, and what it decided last. */
export function PolicySummary({ service, policy, autoscaling, onEdit }: Props) {
  const { t } = useTranslation();
  const address = pathOf(service);
  const { last } = autoscaling;
  const values = policyToValues(policy);
  const remove = useServiceMutation(
    () =>
      send(
        client
          .DELETE('/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling', {
            params: { path: address },
          })
          .then(() => ({ data: true })),
      ),
    t('autoscaling.removed', { name: service.name }),
    () => undefined,
  );
  const stopped = service.replicas === 0;
  return (
    <Section
      title={t('autoscaling.policy')}
      extra={
        <div className={styles.buttons}>
          <PermitButton size="small" permission="service:write" scope={address} onClick={onEdit}>
            {t('action.edit')}
          </PermitButton>
          <Popconfirm
            title={t('autoscaling.remove_title', { name: service.name })}
            description={t('autoscaling.remove_text')}
            okText={t('autoscaling.remove')}
            cancelText={t('action.cancel')}
            onConfirm={() => remove.mutate(undefined)}
          >
            <PermitButton size="small" danger permission="service:write" scope={address}>
              {t('autoscaling.remove')}
            </PermitButton>
          </Popconfirm>
        </div>
      }
    >
      {remove.error && <ErrorPanel inline error={remove.error} />}
      <dl className={styles.facts}>
        <div>
          <dt>{t('word.state')}</dt>
          <dd>
            <StateTag
              tone={values.mode === 'active' && !stopped ? 'running' : 'stopped'}
              label={t(stopped ? 'autoscaling.stopped' : `autoscaling.mode_${values.mode}`)}
            />
          </dd>
        </div>
        <div>
          <dt>{t('word.replicas')}</dt>
          <dd className="number">
            {policy.min_replicas} – {policy.max_replicas}
          </dd>
        </div>
        {values.metrics.map(({ kind, query, target }) => (
          <div key={kind + query}>
            <dt>{kind === 'promql' ? query : t(`autoscaling.kind_${kind}`)}</dt>
            <dd className="number">{target}</dd>
          </div>
        ))}
        {values.schedules.length > 0 && (
          <div>
            <dt>{t('autoscaling.schedules')}</dt>
            <dd>{values.schedules.map(({ name }) => name).join(', ')}</dd>
          </div>
        )}
        {autoscaling.unread > 0 && (
          <div>
            <dt>{t('autoscaling.unread')}</dt>
            <dd className="number">{autoscaling.unread}</dd>
          </div>
        )}
      </dl>
      {autoscaling.warnings?.map((warning) => (
        <p key={warning} className={styles.last} role="status">
          <StateTag tone="degraded" label={t('autoscaling.warning')} plain />
          <span>{warning}</span>
        </p>
      ))}
      {last && (
        <p className={styles.last}>
          <span>{last.message}</span>
          <span className="faint">
            <Age at={last.at} />
          </span>
        </p>
      )}
    </Section>
  );
}
