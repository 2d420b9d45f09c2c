import { useQuery } from '@tanstack/react-query';
import { Form, InputNumber } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, read, send } from '@/api/client';
import type { NewSimulatedLoad, Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { SERVICE, pathOf, useServiceMutation } from '../actions/useServiceMutation';
import styles from './autoscaling.module.css';

const PATH = `${SERVICE}/simulated-load` as const;
const PERIOD = 2_000;
const FIRST: NewSimulatedLoad = { requests_per_second: 200, ramp_seconds: 10, cpu_milliseconds: 5 };

/** Where the clusters are simulated: puts load on a service, so that one sees what the platform makes of it. */
export function SimulatedLoadPanel({ service }: { service: Service }) {
  const { t, i18n } = useTranslation();
  const [form] = Form.useForm<NewSimulatedLoad>();
  const params = { path: pathOf(service) };
  const query = useQuery({ ...read(PATH, { params }), refetchInterval: PERIOD });
  const put = useServiceMutation(
    (body: NewSimulatedLoad) => send(client.PUT(PATH, { params, body })),
    t('simulation.put', { name: service.name }),
    () => undefined,
  );
  const remove = useServiceMutation(
    () => send(client.DELETE(PATH, { params })),
    t('simulation.removed', { name: service.name }),
    () => undefined,
  );
  const failure = put.error ?? remove.error;
  const on = query.data?.load;
  return (
    <Section title={t('simulation.title')}>
      <p className={styles.explained}>{t('simulation.text')}</p>
      {query.error && <ErrorPanel inline error={query.error} onRetry={() => void query.refetch()} />}
      {failure && <ErrorPanel inline error={failure} />}
      {query.data && (
        <Form
          form={form}
          layout="inline"
          initialValues={on ?? FIRST}
          onFinish={put.mutate}
          className={styles.load}
        >
          <Form.Item
            name="requests_per_second"
            label={t('simulation.requests_per_second')}
            rules={[{ required: true }]}
          >
            <InputNumber min={0} max={1_000_000} step={50} />
          </Form.Item>
          <Form.Item name="ramp_seconds" label={t('simulation.ramp_seconds')} rules={[{ required: true }]}>
            <InputNumber min={0} max={86_400} precision={0} />
          </Form.Item>
          <Form.Item
            name="cpu_milliseconds"
            label={t('simulation.cpu_milliseconds')}
            rules={[{ required: true }]}
          >
            <InputNumber min={0} max={60_000} />
          </Form.Item>
          <PermitButton
            type="primary"
            htmlType="submit"
            permission="service:write"
            scope={params.path}
            loading={put.isPending}
          >
            {t('simulation.apply')}
          </PermitButton>
          {on && (
            <PermitButton
              permission="service:write"
              scope={params.path}
              loading={remove.isPending}
              onClick={() => remove.mutate(undefined)}
            >
              {t('simulation.remove')}
            </PermitButton>
          )}
          <output className="number">
            {t('simulation.now', {
              rate: query.data.now.toLocaleString(i18n.language, { maximumFractionDigits: 0 }),
            })}
          </output>
        </Form>
      )}
    </Section>
  );
}
