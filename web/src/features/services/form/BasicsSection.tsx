import { useQuery } from '@tanstack/react-query';
import { Form, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import { ProjectPicker } from '@/components/Pickers';
import { Section } from '@/components/Section';
import { isPermitted } from '@/features/session/roles';
import { useSession } from '@/features/session/session';
import { isDnsLabel } from './rules';
import type { ServiceValues } from './values';
import styles from './form.module.css';

/** The project and the environment of a service that is to be. */
export function PlaceFields() {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const { grants } = useSession();
  const project = Form.useWatch('project', form) as string | undefined;
  const any = useQuery(read('/api/v1/projects', { params: { query: { limit: 1 } } }));
  const chosen = useQuery({
    ...read('/api/v1/projects/{project}', { params: { path: { project: project ?? '' } } }),
    enabled: Boolean(project),
  });
  const environments = chosen.data?.environments ?? [];
  return (
    <div className={styles.columns}>
      <Form.Item
        name="project"
        label={t('word.project')}
        rules={[{ required: true, message: t('form.required') }]}
        extra={
          any.data?.items.length === 0 ? (
            <>
              {t('service_form.no_project')} <Link to="/projects?create">{t('project.create')}</Link>
            </>
          ) : undefined
        }
      >
        <ProjectPicker
          onChange={(_, option) => {
            const offered = option && !Array.isArray(option) ? option.environments : [];
            form.setFieldValue('environment', offered.length === 1 ? offered[0] : '');
          }}
        />
      </Form.Item>
      <Form.Item
        name="environment"
        label={t('word.environment')}
        rules={[{ required: true, message: t('form.required') }]}
        extra={
          project && chosen.data?.environments.length === 0 ? (
            <>
              {t('service_form.no_environment')}{' '}
              <Link to={`/projects/${project}`}>{t('project.create_environment')}</Link>
            </>
          ) : undefined
        }
      >
        <Select
          disabled={!project}
          loading={chosen.isLoading}
          options={environments.map((name) => {
            const allowed = isPermitted(grants, 'service:write', { project, environment: name });
            return {
              value: name,
              label: name,
              disabled: !allowed,
              title: allowed
                ? undefined
                : t('permission.missing', { permission: 'service:write', place: name }),
            };
          })}
        />
      </Form.Item>
    </div>
  );
}

/** Where the service lives and what it is called; neither changes later. */
export function BasicsSection({ creating }: { creating: boolean }) {
  const { t } = useTranslation();
  return (
    <Section title={t('service_form.basics')} id="section-basics">
      {creating && <PlaceFields />}
      <div className={styles.columns}>
        <Form.Item
          name="name"
          label={t('word.name')}
          extra={creating ? t('service_form.name_hint') : undefined}
          rules={[
            { required: true, message: t('form.required') },
            {
              validator: (_, value: string) =>
                !value || isDnsLabel(value, 50)
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('form.dns_label', { most: 50 }))),
            },
          ]}
        >
          <Input disabled={!creating} autoComplete="off" spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item name="description" label={t('word.description')}>
          <Input autoComplete="off" maxLength={500} />
        </Form.Item>
      </div>
    </Section>
  );
}
