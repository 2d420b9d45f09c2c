import { Button, Form, Input, InputNumber } from 'antd';
import { useTranslation } from 'react-i18next';
import { parseCpu, parseMemory } from '@/components/quantity';
import { Section } from '@/components/Section';
import { isAtLeast, isCpu, isMemory } from './rules';
import type { ServiceValues } from './values';
import styles from './form.module.css';

const SIZES: [label: string, cpu: string, memory: string][] = [
  ['0.25 · 256Mi', '250m', '256Mi'],
  ['0.5 · 512Mi', '500m', '512Mi'],
  ['1 · 1Gi', '1', '1Gi'],
  ['2 · 4Gi', '2', '4Gi'],
  ['4 · 8Gi', '4', '8Gi'],
];

type Field = Exclude<keyof ServiceValues['resources'], 'gpus'>;

/** No node has more. */
const MOST_GPUS = 64;

/** What one replica asks for and may use. */
export function ResourcesSection() {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const resources = Form.useWatch('resources', form) as ServiceValues['resources'] | undefined;

  const quantity = (field: Field, check: (text: string) => boolean, message: string, limitOf?: Field) => (
    <Form.Item
      name={['resources', field]}
      label={t(`service_form.${field}`)}
      dependencies={limitOf ? [['resources', limitOf]] : undefined}
      rules={[
        { required: true, message: t('form.required') },
        {
          validator: (_, value: string) => {
            if (!value) return Promise.resolve();
            if (!check(value)) return Promise.reject(new Error(message));
            const parse = field.startsWith('cpu') ? parseCpu : parseMemory;
            const request = limitOf ? (form.getFieldValue(['resources', limitOf]) as string) : value;
            return isAtLeast(parse, value, request)
              ? Promise.resolve()
              : Promise.reject(new Error(t('form.limit_below_request')));
          },
        },
      ]}
    >
      <Input autoComplete="off" className="mono" />
    </Form.Item>
  );

  return (
    <Section
      title={t('service_form.resources')}
      hint={t('service_form.resources_hint')}
      id="section-resources"
    >
      <div className={styles.sizes} role="group" aria-label={t('service_form.sizes')}>
        {SIZES.map(([label, cpu, memory]) => {
          const chosen =
            resources?.cpu_request === cpu &&
            resources.cpu_limit === cpu &&
            resources.memory_request === memory &&
            resources.memory_limit === memory;
          return (
            <Button
              key={label}
              size="small"
              type={chosen ? 'primary' : 'default'}
              aria-pressed={chosen}
              onClick={() => {
                form.setFieldsValue({
                  resources: {
                    cpu_request: cpu,
                    cpu_limit: cpu,
                    memory_request: memory,
                    memory_limit: memory,
                  },
                });
                void form.validateFields([['resources']], { recursive: true }).catch(() => undefined);
              }}
            >
              {label}
            </Button>
          );
        })}
      </div>
      <div className={styles.four}>
        {quantity('cpu_request', isCpu, t('form.cpu'))}
        {quantity('cpu_limit', isCpu, t('form.cpu'), 'cpu_request')}
        {quantity('memory_request', isMemory, t('form.memory'))}
        {quantity('memory_limit', isMemory, t('form.memory'), 'memory_request')}
        <Form.Item name={['resources', 'gpus']} label={t('service_form.gpus')}>
          <InputNumber min={0} max={MOST_GPUS} step={1} precision={0} />
        </Form.Item>
      </div>
    </Section>
  );
}
