import { Checkbox, Form, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { Rows } from './Rows';
import { isAbsolutePath, isVolumeName, isVolumeSize } from './rules';
import type { ServiceValues } from './values';

type Volume = ServiceValues['volumes'][number];

export function VolumesSection() {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const singleton = Form.useWatch('singleton', { form, preserve: true });
  const check = (holds: (text: string) => boolean, message: string) => ({
    validator: (_: unknown, value: string) =>
      !value || holds(value.trim()) ? Promise.resolve() : Promise.reject(new Error(message)),
  });
  const required = { required: true, message: t('form.required') };
  return (
    <Section title={t('service_form.volumes')} hint={t('service_form.volumes_hint')} id="section-volumes">
      <Rows<Volume>
        name="volumes"
        noun={t('service_form.volume')}
        addLabel={t('service_form.add_volume')}
        empty={t('service_form.no_volumes')}
        fresh={() => ({
          name: '',
          mount_path: '',
          size: '10Gi',
          storage_class: '',
          access: singleton ? 'one_node' : 'many_nodes',
          may_start_empty: false,
        })}
        stacked
      >
        {(index) => (
          <>
            <Form.Item
              name={[index, 'name']}
              label={t('word.name')}
              rules={[required, check(isVolumeName, t('form.volume_name'))]}
            >
              <Input autoComplete="off" className="mono" placeholder="data" />
            </Form.Item>
            <Form.Item
              name={[index, 'mount_path']}
              label={t('service_form.mount_path')}
              rules={[required, check(isAbsolutePath, t('form.path'))]}
            >
              <Input autoComplete="off" spellCheck={false} className="mono" placeholder="/var/lib/app" />
            </Form.Item>
            <Form.Item
              name={[index, 'size']}
              label={t('service_form.volume_size')}
              extra={t('service_form.volume_size_hint')}
              rules={[required, check(isVolumeSize, t('form.volume_size'))]}
            >
              <Input autoComplete="off" className="mono" />
            </Form.Item>
            <Form.Item name={[index, 'storage_class']} label={t('service_form.storage_class')}>
              <Input
                autoComplete="off"
                className="mono"
                placeholder={t('service_form.storage_class_default')}
              />
            </Form.Item>
            <Form.Item
              name={[index, 'access']}
              label={t('service_form.volume_access')}
              dependencies={['singleton']}
              rules={[
                {
                  validator: (_, value: Volume['access']) =>
                    value === 'many_nodes' || form.getFieldValue('singleton')
                      ? Promise.resolve()
                      : Promise.reject(new Error(t('form.volume_access'))),
                },
              ]}
            >
              <Select
                options={(['one_node', 'many_nodes'] as const).map((value) => ({
                  value,
                  label: t(`volume.access_${value}`),
                }))}
              />
            </Form.Item>
            <Form.Item
              name={[index, 'may_start_empty']}
              valuePropName="checked"
              extra={t('service_form.may_start_empty_hint')}
            >
              <Checkbox>{t('service_form.may_start_empty')}</Checkbox>
            </Form.Item>
          </>
        )}
      </Rows>
    </Section>
  );
}
