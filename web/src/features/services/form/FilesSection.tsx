import { Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { Rows } from './Rows';
import { isAbsolutePath } from './rules';
import type { ServiceValues } from './values';

export function FilesSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('service_form.files')} hint={t('service_form.files_hint')} id="section-files">
      <Rows<ServiceValues['config_files'][number]>
        name="config_files"
        noun={t('service_form.file')}
        addLabel={t('service_form.add_file')}
        empty={t('service_form.no_files')}
        fresh={() => ({ path: '', content: '' })}
        stacked
      >
        {(index) => (
          <>
            <Form.Item
              name={[index, 'path']}
              label={t('service_form.path')}
              rules={[
                { required: true, message: t('form.required') },
                {
                  validator: (_, value: string) =>
                    !value || isAbsolutePath(value)
                      ? Promise.resolve()
                      : Promise.reject(new Error(t('form.path'))),
                },
              ]}
            >
              <Input
                autoComplete="off"
                spellCheck={false}
                className="mono"
                placeholder="/etc/app/config.yaml"
              />
            </Form.Item>
            <Form.Item name={[index, 'content']} label={t('service_form.content')}>
              <Input.TextArea autoSize={{ minRows: 4, maxRows: 24 }} spellCheck={false} className="mono" />
            </Form.Item>
          </>
        )}
      </Rows>
    </Section>
  );
}
