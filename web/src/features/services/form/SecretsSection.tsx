import { Form, Input, Segmented } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '@/components/Section';
import { Rows } from './Rows';
import { isAbsolutePath, isEnvironmentName } from './rules';
import type { SecretValues, ServiceValues } from './values';

export function SecretsSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('service_form.secrets')} hint={t('service_form.secrets_hint')} id="section-secrets">
      <Rows<SecretValues>
        name="secrets"
        noun={t('service_form.secret')}
        addLabel={t('service_form.add_secret')}
        empty={t('service_form.no_secrets')}
        fresh={() => ({ name: '', mount: 'env', path: '', value: '', fingerprint: '' })}
        stacked
      >
        {(index) => <SecretRow index={index} />}
      </Rows>
    </Section>
  );
}

function SecretRow({ index }: { index: number }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const secret = Form.useWatch(['secrets', index], form) as SecretValues | undefined;
  const stored = secret?.fingerprint;
  return (
    <>
      <Form.Item
        name={[index, 'name']}
        label={t('word.name')}
        rules={[
          { required: true, message: t('form.required') },
          {
            validator: (_, value: string) =>
              !value || secret?.mount === 'file' || isEnvironmentName(value)
                ? Promise.resolve()
                : Promise.reject(new Error(t('form.environment_name'))),
          },
        ]}
      >
        <Input autoComplete="off" spellCheck={false} className="mono" />
      </Form.Item>
      <Form.Item name={[index, 'mount']} label={t('service_form.given_as')}>
        <Segmented
          options={[
            { value: 'env', label: t('service_form.as_variable') },
            { value: 'file', label: t('service_form.as_file') },
          ]}
        />
      </Form.Item>
      {secret?.mount === 'file' && (
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
          <Input autoComplete="off" spellCheck={false} className="mono" placeholder="/run/secrets/token" />
        </Form.Item>
      )}
      <Form.Item name={[index, 'fingerprint']} hidden>
        <Input />
      </Form.Item>
      <Form.Item
        name={[index, 'value']}
        label={t('word.value')}
        extra={stored ? t('service_form.secret_kept', { fingerprint: stored }) : t('service_form.secret_new')}
        rules={stored ? [] : [{ required: true, message: t('form.required') }]}
      >
        <Input.Password
          autoComplete="new-password"
          className="mono"
          placeholder={stored ? t('service_form.secret_placeholder') : undefined}
        />
      </Form.Item>
    </>
  );
}
