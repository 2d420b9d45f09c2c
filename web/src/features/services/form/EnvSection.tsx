import { Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { Rows } from './Rows';
import { isEnvironmentName } from './rules';
import type { ServiceValues } from './values';

export function EnvSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('service_form.env')} id="section-env">
      <Rows<ServiceValues['env'][number]>
        name="env"
        noun={t('service_form.variable')}
        addLabel={t('service_form.add_variable')}
        empty={t('service_form.no_env')}
        fresh={() => ({ name: '', value: '' })}
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
                    !value || isEnvironmentName(value)
                      ? Promise.resolve()
                      : Promise.reject(new Error(t('form.environment_name'))),
                },
              ]}
            >
              <Input autoComplete="off" spellCheck={false} className="mono" />
            </Form.Item>
            <Form.Item name={[index, 'value']} label={t('word.value')}>
              <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} spellCheck={false} className="mono" />
            </Form.Item>
          </>
        )}
      </Rows>
    </Section>
  );
}
