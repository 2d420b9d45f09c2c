import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, send } from '@/api/client';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageHeader } from '@/components/PageHeader';
import { clusterPath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { isDnsLabel } from '@/features/services/form/rules';
import { CheckResult } from './CheckResult';
import { KubeconfigField } from './KubeconfigField';
import { LabelRows, type LabelValues, labelsFromRows } from './LabelRows';
import styles from './clusters.module.css';

interface Values {
  kubeconfig: string;
  name: string;
  region: string;
  zone: string;
  prometheus_url: string;
  labels: LabelValues[];
}

/** Registers a cluster: its kubeconfig is tried first, and what it reaches is shown. */
export function Page() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const kubeconfig = Form.useWatch('kubeconfig', form) as string | undefined;

  const check = useMutation({
    mutationFn: (text: string) => send(client.POST('/api/v1/clusters/check', { body: { kubeconfig: text } })),
  });
  const register = useMutation({
    mutationFn: ({ labels, prometheus_url, ...values }: Values) =>
      send(
        client.POST('/api/v1/clusters', {
          body: {
            ...values,
            name: values.name.trim(),
            zone: values.zone ?? '',
            labels: labelsFromRows(labels),
            prometheus_url: prometheus_url?.trim() || null,
          },
        }),
      ),
    onSuccess: ({ name }) => {
      void queries.invalidateQueries();
      void message.success(t('cluster.registered', { name }));
      void navigate(clusterPath(name));
    },
  });
  const checked = check.data && check.variables === kubeconfig ? check.data : undefined;
  const lacking = checked?.rights.some(({ allowed }) => !allowed) ?? false;

  return (
    <div className={styles.narrow}>
      <PageHeader
        title={t('cluster.register')}
        trail={[{ to: '/clusters', label: t('menu.clusters') }]}
        subtitle={t('cluster.register_text')}
      />
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{ labels: [], zone: '', prometheus_url: '' }}
        onFinish={register.mutate}
      >
        <div className={styles.stack}>
          <Section title={t('cluster.step_kubeconfig')} hint={t('cluster.step_kubeconfig_hint')}>
            <Form.Item
              name="kubeconfig"
              label="Kubeconfig"
              rules={[{ required: true, message: t('form.required') }]}
            >
              <KubeconfigField />
            </Form.Item>
            <PermitButton
              permission="cluster:write"
              disabled={!kubeconfig?.trim()}
              loading={check.isPending}
              onClick={() => check.mutate(kubeconfig ?? '')}
            >
              {t('cluster.check')}
            </PermitButton>
            <div className={styles.result}>
              {check.error && <ErrorPanel error={check.error} />}
              {checked && <CheckResult check={checked} />}
            </div>
          </Section>
          <Section title={t('cluster.step_name')}>
            <div className={styles.two}>
              <Form.Item
                name="name"
                label={t('word.name')}
                extra={t('cluster.name_hint')}
                rules={[
                  { required: true, message: t('form.required') },
                  {
                    validator: (_, value: string) =>
                      !value || isDnsLabel(value)
                        ? Promise.resolve()
                        : Promise.reject(new Error(t('form.dns_label', { most: 63 }))),
                  },
                ]}
              >
                <Input autoComplete="off" spellCheck={false} className="mono" />
              </Form.Item>
              <Form.Item
                name="region"
                label={t('cluster.region')}
                rules={[{ required: true, message: t('form.required') }]}
              >
                <Input autoComplete="off" />
              </Form.Item>
              <Form.Item name="zone" label={t('cluster.zone')}>
                <Input autoComplete="off" />
              </Form.Item>
              <Form.Item
                name="prometheus_url"
                label="Prometheus URL"
                rules={[{ type: 'url', message: t('form.url') }]}
              >
                <Input autoComplete="off" className="mono" placeholder="https://prometheus.example.com" />
              </Form.Item>
            </div>
            <LabelRows />
          </Section>
          {register.error && <ErrorPanel error={register.error} />}
          <div className={styles.foot}>
            <span className="faint">{!checked && t('cluster.check_first')}</span>
            <span className={styles.space} />
            <Button onClick={() => void navigate('/clusters')}>{t('action.cancel')}</Button>
            <PermitButton
              type="primary"
              htmlType="submit"
              permission="cluster:write"
              blocked={
                checked ? (lacking ? t('cluster.blocked_rights') : undefined) : t('cluster.check_first')
              }
              loading={register.isPending}
            >
              {t('cluster.register')}
            </PermitButton>
          </div>
        </div>
      </Form>
    </div>
  );
}
