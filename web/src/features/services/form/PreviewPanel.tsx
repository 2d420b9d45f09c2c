import { Form } from 'antd';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/error';
import { Section } from '@/components/Section';
import { PreviewRows } from '../PreviewRows';
import { type PreviewInput, usePlacementPreview } from '../usePlacementPreview';
import { valuesToPlacement, wantedReplicas } from './convert';
import { defaultValues, type ServiceValues } from './values';

/** Where the replicas would go, while one types. */
export function PreviewPanel({ service }: { service: string | undefined }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const watched = Form.useWatch(
    (values: Partial<ServiceValues>) => JSON.stringify(inputOf(values, service)),
    // The place of a service that exists has no fields.
    { form, preserve: true },
  );
  const input = watched ? (JSON.parse(watched) as PreviewInput) : inputOf({}, service);
  const { data, error } = usePlacementPreview(input);
  return (
    <Section title={t('preview.title')} hint={t('preview.hint')}>
      <div aria-live="polite">
        {!input.environment ? (
          <p className="faint">{t('preview.choose_environment')}</p>
        ) : error ? (
          <p className="muted">{asApiError(error).message}</p>
        ) : data ? (
          <PreviewRows preview={data} />
        ) : (
          <p className="faint">{t('loading')}</p>
        )}
      </div>
    </Section>
  );
}

function inputOf(values: Partial<ServiceValues>, service: string | undefined): PreviewInput {
  const whole = { ...defaultValues(), ...values };
  return {
    project: whole.project,
    environment: whole.environment,
    service,
    replicas: wantedReplicas(whole),
    placement: valuesToPlacement(whole),
    resources: whole.resources,
  };
}
