import { Form, Input, InputNumber, Select, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { PROBES, type ProbeName, type ProbeValues, type ServiceValues } from './values';
import styles from './form.module.css';

export function ProbesSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('service_form.probes')} hint={t('service_form.probes_hint')} id="section-probes">
      <div className={styles.rows}>
        {PROBES.map((name) => (
          <ProbeFields key={name} name={name} />
        ))}
      </div>
    </Section>
  );
}

const TIMES = [
  ['initial_delay_seconds', 0],
  ['period_seconds', 1],
  ['timeout_seconds', 1],
  ['failure_threshold', 1],
] as const;

function ProbeFields({ name }: { name: ProbeName }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const enabled = Form.useWatch(['probes', name, 'enabled'], form) as boolean | undefined;
  const type = Form.useWatch(['probes', name, 'type'], form) as string | undefined;
  const required = [{ required: true, message: t('form.required') }];
  const field = <K extends keyof ProbeValues>(key: K): ['probes', ProbeName, K] => ['probes', name, key];
  return (
    <div className={styles.probe} role="group" aria-label={t(`service_form.probe_${name}`)}>
      <div className={styles.legend}>
        <Form.Item name={field('enabled')} valuePropName="checked" noStyle>
          <Switch
            size="small"
            aria-label={t(`service_form.probe_${name}`)}
            onChange={(on) => {
              const ports = (form.getFieldValue('ports') ?? []) as ServiceValues['ports'];
              const known = form.getFieldValue(field('port')) as number | null;
              if (on && !known) form.setFieldValue(field('port'), ports[0]?.port ?? null);
            }}
          />
        </Form.Item>
        <span>
          <strong>{t(`service_form.probe_${name}`)}</strong>{' '}
          <span className="faint">{t(`service_form.probe_${name}_hint`)}</span>
        </span>
      </div>
      <div className={styles.columns} hidden={!enabled}>
        <Form.Item name={field('type')} label={t('service_form.probe_type')}>
          <Select
            options={(['http', 'tcp', 'exec'] as const).map((each) => ({
              value: each,
              label: t(`service_form.probe_type_${each}`),
            }))}
          />
        </Form.Item>
        {type === 'http' && (
          <Form.Item name={field('path')} label={t('service_form.path')} rules={enabled ? required : []}>
            <Input autoComplete="off" className="mono" />
          </Form.Item>
        )}
        {(type === 'http' || type === 'tcp') && (
          <Form.Item name={field('port')} label={t('service_form.port')} rules={enabled ? required : []}>
            <InputNumber min={1} max={65_535} precision={0} />
          </Form.Item>
        )}
        {type === 'exec' && (
          <Form.Item
            name={field('command')}
            label={t('service_form.command')}
            extra={t('service_form.lines_hint')}
            rules={enabled ? required : []}
          >
            <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} spellCheck={false} className="mono" />
          </Form.Item>
        )}
      </div>
      <div className={styles.four} hidden={!enabled}>
        {TIMES.map(([key, least]) => (
          <Form.Item
            key={key}
            name={field(key)}
            label={t(`service_form.${key}`)}
            rules={enabled ? required : []}
          >
            <InputNumber min={least} max={3_600} precision={0} />
          </Form.Item>
        ))}
      </div>
    </div>
  );
}
