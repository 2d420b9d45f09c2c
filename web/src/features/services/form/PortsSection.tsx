import { Form, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { Rows } from './Rows';
import { isPortName } from './rules';
import type { ServiceValues } from './values';

type Port = ServiceValues['ports'][number];

export function PortsSection() {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const fresh = (): Port => {
    const ports = (form.getFieldValue('ports') ?? []) as Port[];
    return ports.length === 0
      ? { name: 'http', port: 8080, protocol: 'TCP' }
      : { name: '', port: null, protocol: 'TCP' };
  };
  return (
    <Section title={t('service_form.ports')} hint={t('service_form.ports_hint')} id="section-ports">
      <Rows<Port>
        name="ports"
        noun={t('service_form.port')}
        addLabel={t('service_form.add_port')}
        empty={t('service_form.no_ports')}
        fresh={fresh}
      >
        {(index) => (
          <>
            <Form.Item
              name={[index, 'name']}
              label={t('word.name')}
              rules={[
                { required: true, message: t('form.required') },
                {
                  validator: (_, value: string) =>
                    !value || isPortName(value)
                      ? Promise.resolve()
                      : Promise.reject(new Error(t('form.port_name'))),
                },
              ]}
            >
              <Input autoComplete="off" className="mono" />
            </Form.Item>
            <Form.Item
              name={[index, 'port']}
              label={t('service_form.port')}
              rules={[{ required: true, message: t('form.required') }]}
            >
              <InputNumber min={1} max={65_535} precision={0} />
            </Form.Item>
            <Form.Item name={[index, 'protocol']} label={t('service_form.protocol')}>
              <Select options={[{ value: 'TCP' }, { value: 'UDP' }]} />
            </Form.Item>
          </>
        )}
      </Rows>
    </Section>
  );
}
