import { useQuery } from '@tanstack/react-query';
import { App, Form, type FormInstance, Segmented } from 'antd';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { read } from '@/api/client';
import { asApiError } from '@/api/error';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import type { Draft } from '../document/YamlMode';
import { Section } from '@/components/Section';
import { AdvancedSection } from './AdvancedSection';
import { BasicsSection, PlaceFields } from './BasicsSection';
import { EnvSection } from './EnvSection';
import { placeFieldErrors } from './fieldErrors';
import { FilesSection } from './FilesSection';
import { ImageSection } from './ImageSection';
import { PlacementSection } from './PlacementSection';
import { PortsSection } from './PortsSection';
import { PreviewPanel } from './PreviewPanel';
import { ProbesSection } from './ProbesSection';
import { ResourcesSection } from './ResourcesSection';
import { SecretsSection } from './SecretsSection';
import type { ServiceValues } from './values';
import { VolumesSection } from './VolumesSection';
import styles from './form.module.css';

const YamlMode = lazy(() => import('../document/YamlMode'));

const SECTIONS = [
  'basics',
  'image',
  'ports',
  'resources',
  'env',
  'files',
  'secrets',
  'volumes',
  'probes',
  'placement',
  'advanced',
] as const;

interface Props {
  form: FormInstance<ServiceValues>;
  initial: ServiceValues;
  creating: boolean;
  error: unknown;
  onSubmit: (values: ServiceValues) => void;
  /** Counts up when the form was filled from elsewhere. */
  filled?: number;
  /** Above the buttons: a conflict. */
  notice?: React.ReactNode;
  /** The buttons. */
  children: React.ReactNode;
}

/** A whole service, for creating and for editing: as a form or as text, which say the same. */
export function ServiceForm(props: Props) {
  const { form, initial, creating, error, onSubmit, filled = 0, notice, children } = props;
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [search, setSearch] = useSearchParams();
  const asYaml = search.get('as') === 'yaml';
  const [draft, setDraft] = useState<Draft>({ text: undefined, problems: 0 });
  const broken = asYaml && draft.problems > 0;
  const refusedFields = useMemo(() => (error ? asApiError(error).fields : []), [error]);
  const environment = Form.useWatch('environment', { form, preserve: true });
  const project = Form.useWatch('project', { form, preserve: true });
  const place = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}', {
      params: { path: { project: project ?? '', environment: environment ?? '' } },
    }),
    enabled: Boolean(project && environment),
  });

  const refusal = useRef<HTMLDivElement>(null);
  const refused = error ? placeFieldErrors(refusedFields) : undefined;
  useEffect(() => {
    if (!error) return;
    const { fields } = placeFieldErrors(refusedFields);
    if (fields.length === 0 || asYaml) {
      refusal.current?.scrollIntoView({ block: 'center' });
      return;
    }
    form.setFields(fields as Parameters<typeof form.setFields>[0]);
    const first = fields[0];
    if (first) form.scrollToField(first.name, { block: 'center' });
  }, [error, refusedFields, asYaml, form]);

  return (
    <Form<ServiceValues>
      form={form}
      layout="vertical"
      initialValues={initial}
      requiredMark="optional"
      scrollToFirstError={{ block: 'center', focus: true }}
      onFinish={() => {
        if (broken) void message.error(t('editor.problems', { count: draft.problems }));
        else onSubmit(form.getFieldsValue(true) as ServiceValues);
      }}
    >
      <Segmented
        className={styles.switch}
        aria-label={t('editor.switch')}
        value={asYaml ? 'yaml' : 'form'}
        onChange={(chosen) => {
          if (broken) return void message.error(t('editor.before_form'));
          const next = new URLSearchParams(search);
          if (chosen === 'yaml') next.set('as', 'yaml');
          else next.delete('as');
          setSearch(next, { replace: true, preventScrollReset: true });
        }}
        options={[
          { value: 'form', label: t('editor.as_form') },
          { value: 'yaml', label: t('editor.as_yaml') },
        ]}
      />
      <div className={styles.layout}>
        <div className={styles.sections}>
          {asYaml ? (
            <>
              {creating && (
                <Section title={t('service_form.place')}>
                  <PlaceFields />
                </Section>
              )}
              <Suspense fallback={<RowsLoading />}>
                <YamlMode
                  form={form}
                  creating={creating}
                  draft={draft}
                  onDraft={setDraft}
                  filled={filled}
                  refused={refusedFields}
                />
              </Suspense>
            </>
          ) : (
            <>
              <BasicsSection creating={creating} />
              <ImageSection />
              <PortsSection />
              <ResourcesSection />
              <EnvSection />
              <FilesSection />
              <SecretsSection />
              <VolumesSection />
              <ProbesSection />
              <PlacementSection spanned={place.data?.clusters} />
              <AdvancedSection />
            </>
          )}
        </div>
        <aside className={styles.side} aria-label={t('service_form.side')}>
          {!asYaml && (
            <nav className={styles.nav} aria-label={t('service_form.sections')}>
              {SECTIONS.map((section) => (
                <a key={section} href={`#section-${section}`}>
                  {t(`service_form.${section}`)}
                </a>
              ))}
            </nav>
          )}
          <PreviewPanel service={creating ? undefined : initial.name} />
        </aside>
      </div>
      {Boolean(error) && !asApiError(error).conflict && (
        <div ref={refusal} className={styles.sections} style={{ marginTop: 14 }}>
          <ErrorPanel error={error} />
          {refused && !asYaml && refused.rest.length > 0 && (
            <ul>
              {refused.rest.map(({ field, message }) => (
                <li key={field + message}>
                  <code>{field}</code> {message}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      {notice}
      <div className={styles.foot}>{children}</div>
    </Form>
  );
}
