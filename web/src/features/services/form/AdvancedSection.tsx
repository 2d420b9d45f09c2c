import { Collapse, Form, Input, InputNumber } from 'antd';
import { useTranslation } from 'react-i18next';
import { Rows } from './Rows';
import { isCountOrPercent } from './rules';
import type { HostAliasValues, ServiceValues } from './values';
import styles from './form.module.css';

/** Stopping, rolling out, and what few services need; closed until opened, but always part of the form. */
export function AdvancedSection() {
  const { t } = useTranslation();
  const countOrPercent = {
    validator: (_: unknown, value: string) =>
      isCountOrPercent(value ?? '')
        ? Promise.resolve()
        : Promise.reject(new Error(t('form.count_or_percent'))),
  };
  const required = { required: true, message: t('form.required') };
  return (
    <div id="section-advanced">
      <Collapse
        items={[
          {
            key: 'advanced',
            forceRender: true,
            label: t('service_form.advanced'),
            children: (
              <>
                <h3 className={styles.group}>{t('service_form.rollout')}</h3>
                <div className={styles.four}>
                  <Form.Item
                    name={['rollout', 'max_surge']}
                    label={t('service_form.max_surge')}
                    rules={[countOrPercent]}
                  >
                    <Input autoComplete="off" />
                  </Form.Item>
                  <Form.Item
                    name={['rollout', 'max_unavailable']}
                    label={t('service_form.max_unavailable')}
                    rules={[countOrPercent]}
                  >
                    <Input autoComplete="off" />
                  </Form.Item>
                  <Form.Item
                    name={['rollout', 'progress_deadline_seconds']}
                    label={t('service_form.progress_deadline_seconds')}
                    rules={[required]}
                  >
                    <InputNumber min={1} max={86_400} precision={0} />
                  </Form.Item>
                  <Form.Item
                    name={['rollout', 'min_ready_seconds']}
                    label={t('service_form.min_ready_seconds')}
                    rules={[required]}
                  >
                    <InputNumber min={0} max={3_600} precision={0} />
                  </Form.Item>
                </div>
                <h3 className={styles.group}>{t('service_form.stop')}</h3>
                <div className={styles.columns}>
                  <Form.Item
                    name={['stop', 'grace_period_seconds']}
                    label={t('service_form.grace_period_seconds')}
                    rules={[required]}
                  >
                    <InputNumber min={0} max={3_600} precision={0} />
                  </Form.Item>
                  <Form.Item
                    name={['stop', 'pre_stop_command']}
                    label={t('service_form.pre_stop_command')}
                    extra={t('service_form.lines_hint')}
                  >
                    <Input.TextArea
                      autoSize={{ minRows: 1, maxRows: 6 }}
                      spellCheck={false}
                      className="mono"
                    />
                  </Form.Item>
                </div>
                <h3 className={styles.group}>{t('service_form.security')}</h3>
                <div className={styles.columns}>
                  <Form.Item
                    name="run_as_user"
                    label={t('service_form.run_as_user')}
                    extra={t('service_form.run_as_user_hint')}
                  >
                    <InputNumber min={1} max={2_147_483_647} precision={0} />
                  </Form.Item>
                </div>
                <h3 className={styles.group}>{t('service_form.host_aliases')}</h3>
                <Rows<HostAliasValues>
                  name="host_aliases"
                  noun={t('service_form.host_alias')}
                  addLabel={t('service_form.add_host_alias')}
                  empty={t('service_form.no_host_aliases')}
                  fresh={() => ({ ip: '', hostnames: '' })}
                >
                  {(index) => (
                    <>
                      <Form.Item name={[index, 'ip']} label="IP" rules={[required]}>
                        <Input autoComplete="off" className="mono" />
                      </Form.Item>
                      <Form.Item
                        name={[index, 'hostnames']}
                        label={t('service_form.hostnames')}
                        rules={[required]}
                      >
                        <Input autoComplete="off" className="mono" />
                      </Form.Item>
                    </>
                  )}
                </Rows>
                <h3 className={styles.group}>{t('service_form.annotations')}</h3>
                <Rows<ServiceValues['annotations'][number]>
                  name="annotations"
                  noun={t('service_form.annotation')}
                  addLabel={t('service_form.add_annotation')}
                  empty={t('service_form.no_annotations')}
                  fresh={() => ({ name: '', value: '' })}
                >
                  {(index) => (
                    <>
                      <Form.Item name={[index, 'name']} label={t('word.name')} rules={[required]}>
                        <Input autoComplete="off" className="mono" />
                      </Form.Item>
                      <Form.Item name={[index, 'value']} label={t('word.value')}>
                        <Input autoComplete="off" className="mono" />
                      </Form.Item>
                    </>
                  )}
                </Rows>
              </>
            ),
          },
        ]}
      />
    </div>
  );
}
