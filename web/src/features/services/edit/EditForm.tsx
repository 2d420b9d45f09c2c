import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { asApiError } from '@/api/error';
import type { Service, ServiceSpec } from '@/api/types';
import { servicePath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { pathOf } from '../actions/useServiceMutation';
import { serviceToValues } from '../form/convert';
import { ServiceForm } from '../form/ServiceForm';
import { setValues, type ServiceValues } from '../form/values';
import formStyles from '../form/form.module.css';
import { ConflictPanel } from './ConflictPanel';
import { ReviewModal } from './ReviewModal';
import { editChanges, saveEdit } from './save';

interface Base {
  service: Service;
  spec: ServiceSpec;
}

/** The form over a service that exists: shows the difference, then saves it against the version it began from. */
export function EditForm({ base }: { base: Base }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [form] = Form.useForm<ServiceValues>();
  const [service, setService] = useState(base.service);
  const [before, setBefore] = useState(() => serviceToValues(base.service, base.spec));
  const [reviewed, setReviewed] = useState<ServiceValues>();
  const [filled, setFilled] = useState(0);
  const address = pathOf(service);

  const save = useMutation({
    mutationFn: ({
      values,
      comment,
      release,
    }: {
      values: ServiceValues;
      comment: string;
      release: boolean;
    }) =>
      saveEdit({
        service,
        values,
        changes: editChanges(before, values),
        comment,
        release,
        onStored: (stored) => {
          setService(stored);
          setBefore((known) => ({
            ...known,
            description: values.description,
            replicas: values.replicas,
            strategy: values.strategy,
            clusters: values.clusters,
            min_per_cluster: values.min_per_cluster,
            max_percent_per_cluster: values.max_percent_per_cluster,
            max_percent_per_zone: values.max_percent_per_zone,
            max_percent_per_region: values.max_percent_per_region,
            tolerations: values.tolerations,
            avoid: values.avoid,
            priority: values.priority,
            singleton: values.singleton,
            weights: values.weights,
            pinned: values.pinned,
          }));
        },
      }),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('service.saved', { name: service.name }));
      void navigate(servicePath(address));
    },
    onError: () => setReviewed(undefined),
  });
  const conflict = save.error ? asApiError(save.error).conflict : undefined;

  return (
    <>
      <ServiceForm
        form={form}
        initial={before}
        creating={false}
        error={save.error}
        filled={filled}
        onSubmit={(values) => {
          save.reset();
          setReviewed(values);
        }}
        notice={
          conflict && (
            <ConflictPanel
              address={address}
              conflict={conflict}
              base={before}
              mine={form.getFieldsValue(true) as ServiceValues}
              onTake={(theirs, values) => {
                setService(theirs.service);
                setBefore(serviceToValues(theirs.service, theirs.spec));
                setValues(form, values);
                setFilled((count) => count + 1);
                save.reset();
              }}
            />
          )
        }
      >
        <span className="faint">{t('service.edit_foot')}</span>
        <span className={formStyles.footSpace} />
        <Button onClick={() => void navigate(servicePath(address))}>{t('action.cancel')}</Button>
        <PermitButton
          type="primary"
          htmlType="submit"
          permission="service:write"
          scope={address}
          blocked={conflict ? t('conflict.first') : undefined}
        >
          {t('service.review')}
        </PermitButton>
      </ServiceForm>
      {reviewed && (
        <ReviewModal
          service={service}
          changes={editChanges(before, reviewed)}
          before={before}
          after={reviewed}
          pending={save.isPending}
          onSave={(comment, release) => save.mutate({ values: reviewed, comment, release })}
          onClose={() => setReviewed(undefined)}
        />
      )}
    </>
  );
}
