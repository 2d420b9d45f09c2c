import { useMutation } from '@tanstack/react-query';
import { Button, Collapse, Form, Input, InputNumber, Modal, Segmented, Select } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { client, ifMatch, send } from '@/api/client';
import { asApiError } from '@/api/error';
import type { Autoscaling, Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { pathOf, useServiceMutation } from '../actions/useServiceMutation';
import { Rows } from '../form/Rows';
import { PolicyPreview } from './PolicyPreview';
import {
  FRESH_METRIC,
  FRESH_SCHEDULE,
  FRESH_STEP,
  freshValues,
  METRIC_KINDS,
  policyFieldPath,
  policyToValues,
  type PolicyValues,
  valuesToPolicy,
} from './policyValues';
import styles from './autoscaling.module.css';

interface Props {
  service: Service;
  autoscaling: Autoscaling;
  onClose: () => void;
}

/** A policy as a form, to be tried on the last hour before it is set. */
export function PolicyModal({ service, autoscaling, onClose }: Props) {
  const { t } = useTranslation();
  const [form] = Form.useForm<PolicyValues>();
  const save = useServiceMutation(
    (values: PolicyValues) =>
      send(
        client.PUT('/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling', {
          params: { path: pathOf(service), header: ifMatch(autoscaling.version) },
          body: valuesToPolicy(values),
        }),
      ),
    t('autoscaling.saved', { name: service.name }),
    onClose,
  );
  const preview = useMutation({
    mutationFn: (values: PolicyValues) =>
      send(
        client.POST(
          '/api/v1/projects/{project}/environments/{environment}/services/{service}/autoscaling/preview',
          { params: { path: pathOf(service) }, body: valuesToPolicy(values) },
        ),
      ),
  });
  const values = () => form.getFieldsValue(true) as PolicyValues;
  const error = save.error ?? preview.error;
  useEffect(() => {
    if (!error) return;
    const fields = asApiError(error).fields.map(({ field, message }) => ({
      name: policyFieldPath(field),
      errors: [message],
    }));
    form.setFields(fields as Parameters<typeof form.setFields>[0]);
  }, [error, form]);

  return (
    <Modal
      open
      width={760}
      className={styles.modal}
      title={t('autoscaling.form_title', { name: service.name })}
      okText={t('action.save')}
      cancelText={t('action.cancel')}
      confirmLoading={save.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
      footer={(_, { OkBtn, CancelBtn }) => (
        <>
          <Button
            loading={preview.isPending}
            onClick={() =>
              void form.validateFields().then(
                () => preview.mutate(values()),
                () => undefined,
              )
            }
          >
            {t('autoscaling.preview')}
          </Button>
          <CancelBtn />
          <OkBtn />
        </>
      )}
    >
      <Form<PolicyValues>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={
          autoscaling.policy ? policyToValues(autoscaling.policy) : freshValues(service.replicas)
        }
        onFinish={() => save.mutate(values())}
        // What was told is of another policy then.
        onValuesChange={() => preview.reset()}
      >
        <Form.Item name="mode" label={t('autoscaling.mode')}>
          <Segmented
            options={(['active', 'dry_run', 'paused'] as const).map((value) => ({
              value,
              label: t(`autoscaling.mode_${value}`),
            }))}
          />
        </Form.Item>
        <div className={styles.two}>
          <Whole name={['min_replicas']} label={t('autoscaling.min')} />
          <Whole name={['max_replicas']} label={t('autoscaling.max')} />
        </div>
        <h2 className={styles.group}>{t('autoscaling.metrics')}</h2>
        <Rows
          name="metrics"
          noun={t('autoscaling.metric')}
          addLabel={t('autoscaling.add_metric')}
          fresh={() => ({ ...FRESH_METRIC })}
          empty={t('autoscaling.no_metric')}
          stacked
        >
          {(index) => <MetricFields index={index} />}
        </Rows>
        <h2 className={styles.group}>{t('autoscaling.schedules')}</h2>
        <Rows
          name="schedules"
          noun={t('autoscaling.schedule')}
          addLabel={t('autoscaling.add_schedule')}
          fresh={() => ({ ...FRESH_SCHEDULE })}
          empty={t('autoscaling.no_schedule')}
          stacked
        >
          {(index) => <ScheduleFields index={index} />}
        </Rows>
        <Collapse
          ghost
          style={{ marginTop: 12 }}
          items={[
            {
              key: 'behavior',
              label: t('autoscaling.behavior'),
              forceRender: true,
              children: <BehaviorFields />,
            },
          ]}
        />
      </Form>
      {error && <ErrorPanel inline error={error} />}
      {preview.data && <PolicyPreview preview={preview.data} />}
    </Modal>
  );
}

function Whole({
  name,
  label,
  least = 1,
  extra,
}: {
  name: (string | number)[];
  label: string;
  least?: number;
  extra?: string;
}) {
  const { t } = useTranslation();
  return (
    <Form.Item
      name={name}
      label={label}
      extra={extra}
      rules={[{ required: true, message: t('form.required') }]}
    >
      <InputNumber min={least} precision={0} />
    </Form.Item>
  );
}

function MetricFields({ index }: { index: number }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<PolicyValues>();
  const kind = Form.useWatch(['metrics', index, 'kind'], form) as string | undefined;
  return (
    <>
      <div className={styles.two}>
        <Form.Item name={[index, 'kind']} label={t('autoscaling.metric')}>
          <Select options={METRIC_KINDS.map((value) => ({ value, label: t(`autoscaling.kind_${value}`) }))} />
        </Form.Item>
        <Form.Item
          name={[index, 'target']}
          label={t('autoscaling.target_each')}
          rules={[{ required: true, message: t('form.required') }]}
        >
          <InputNumber min={0} />
        </Form.Item>
      </div>
      {kind === 'promql' && (
        <Form.Item
          name={[index, 'query']}
          label="PromQL"
          extra={t('autoscaling.promql_hint')}
          rules={[{ required: true, message: t('form.required') }]}
        >
          <Input.TextArea autoSize className="mono" spellCheck={false} />
        </Form.Item>
      )}
    </>
  );
}

function ScheduleFields({ index }: { index: number }) {
  const { t } = useTranslation();
  const required = [{ required: true, message: t('form.required') }];
  return (
    <div className={styles.three}>
      <Form.Item name={[index, 'name']} label={t('word.name')} rules={required}>
        <Input />
      </Form.Item>
      <Form.Item name={[index, 'cron']} label={t('autoscaling.cron')} rules={required}>
        <Input className="mono" />
      </Form.Item>
      <Form.Item name={[index, 'time_zone']} label={t('autoscaling.time_zone')} rules={required}>
        <Input className="mono" />
      </Form.Item>
      <Whole name={[index, 'minutes']} label={t('autoscaling.minutes')} />
      <Whole name={[index, 'min_replicas']} label={t('autoscaling.min')} />
      <Whole name={[index, 'max_replicas']} label={t('autoscaling.max')} />
    </div>
  );
}

function BehaviorFields() {
  const { t } = useTranslation();
  return (
    <>
      <div className={styles.three}>
        <Form.Item name="rounding" label={t('autoscaling.rounding')}>
          <Select
            options={(['fewest', 'ceil'] as const).map((value) => ({
              value,
              label: t(`autoscaling.rounding_${value}`),
            }))}
          />
        </Form.Item>
        <Whole name={['tolerance_percent']} label={t('autoscaling.tolerance')} least={0} />
        <Whole
          name={['foresight_seconds']}
          label={t('autoscaling.foresight')}
          least={0}
          extra={t('autoscaling.foresight_hint')}
        />
      </div>
      {(['up', 'down'] as const).map((direction) => (
        <div key={direction}>
          <h2 className={styles.group}>{t(`autoscaling.${direction}`)}</h2>
          <div className={styles.two}>
            <Whole
              name={[direction, 'stabilization_seconds']}
              label={t('autoscaling.stabilization')}
              least={0}
              extra={t(`autoscaling.stabilization_${direction}`)}
            />
            <Form.Item name={[direction, 'select']} label={t('autoscaling.select')}>
              <Select
                options={(['max', 'min', 'disabled'] as const).map((value) => ({
                  value,
                  label: t(`autoscaling.select_${value}`),
                }))}
              />
            </Form.Item>
          </div>
          <Rows
            name={[direction, 'steps']}
            noun={t('autoscaling.step')}
            addLabel={t('autoscaling.add_step')}
            fresh={() => ({ ...FRESH_STEP })}
            empty={t('autoscaling.no_step')}
          >
            {(index) => (
              <>
                <Whole name={[index, 'value']} label={t('autoscaling.at_most')} />
                <Form.Item name={[index, 'unit']} label={t('autoscaling.unit')}>
                  <Select
                    options={(['replicas', 'percent'] as const).map((value) => ({
                      value,
                      label: t(`autoscaling.unit_${value}`),
                    }))}
                  />
                </Form.Item>
                <Whole name={[index, 'period_seconds']} label={t('autoscaling.period')} />
              </>
            )}
          </Rows>
        </div>
      ))}
    </>
  );
}
