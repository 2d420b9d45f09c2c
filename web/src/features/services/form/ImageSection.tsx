import { Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { isImage } from './rules';
import styles from './form.module.css';

export function ImageSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('service_form.image')} id="section-image">
      <Form.Item
        name="image"
        label={t('word.image')}
        extra={t('service_form.image_hint')}
        rules={[
          { required: true, message: t('form.required') },
          {
            validator: (_, value: string) =>
              !value || isImage(value.trim())
                ? Promise.resolve()
                : Promise.reject(new Error(t('form.image'))),
          },
        ]}
      >
        <Input
          autoComplete="off"
          spellCheck={false}
          className="mono"
          placeholder="registry.example.com/team/web:1.0"
        />
      </Form.Item>
      <div className={styles.columns}>
        <Form.Item name="command" label={t('service_form.command')} extra={t('service_form.lines_hint')}>
          <Input.TextArea autoSize={{ minRows: 1, maxRows: 8 }} spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item name="args" label={t('service_form.args')} extra={t('service_form.lines_hint')}>
          <Input.TextArea autoSize={{ minRows: 1, maxRows: 8 }} spellCheck={false} className="mono" />
        </Form.Item>
      </div>
    </Section>
  );
}
