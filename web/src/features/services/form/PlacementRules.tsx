import { Checkbox, Form, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Rows } from './Rows';
import { SHARES, type ServiceValues } from './values';
import styles from './form.module.css';

const PRIORITIES = ['low', 'normal', 'high'] as const;

/** What bounds a placement, whatever its strategy: shares, taints, other services, who goes first, and that it never runs twice. */
export function PlacementRules({ pinned }: { pinned: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <Form.Item name="singleton" valuePropName="checked" extra={t('service_form.singleton_hint')}>
        <Checkbox>{t('service_form.singleton')}</Checkbox>
      </Form.Item>
      {!pinned && (
        <div className={styles.three}>
          {SHARES.map((name) => (
            <Form.Item key={name} name={name} label={t(`service_form.${name}`)}>
              <InputNumber
                min={1}
                max={100}
                precision={0}
                suffix="%"
                placeholder={t('service_form.no_limit')}
              />
            </Form.Item>
          ))}
        </div>
      )}
      <div className={styles.columns}>
        <Form.Item name="priority" label={t('service_form.priority')} extra={t('service_form.priority_hint')}>
          <Select options={PRIORITIES.map((value) => ({ value, label: t(`placement.priority_${value}`) }))} />
        </Form.Item>
        <Form.Item name="avoid" label={t('service_form.avoid')} extra={t('service_form.avoid_hint')}>
          <Select mode="tags" open={false} tokenSeparators={[' ', ',']} suffixIcon={null} />
        </Form.Item>
      </div>
      <Form.Item label={t('service_form.tolerations')}>
        <Rows<ServiceValues['tolerations'][number]>
          name="tolerations"
          noun={t('service_form.toleration')}
          addLabel={t('service_form.add_toleration')}
          empty={t('service_form.no_tolerations')}
          fresh={() => ({ key: '', value: '' })}
        >
          {(index) => (
            <>
              <Form.Item
                name={[index, 'key']}
                label={t('service_form.taint_key')}
                rules={[{ required: true, message: t('form.required') }]}
              >
                <Input autoComplete="off" className="mono" />
              </Form.Item>
              <Form.Item name={[index, 'value']} label={t('word.value')}>
                <Input autoComplete="off" className="mono" placeholder={t('service_form.any_value')} />
              </Form.Item>
            </>
          )}
        </Rows>
      </Form.Item>
    </>
  );
}
