import { DeleteOutlined } from '@ant-design/icons';
import { Button, Form, InputNumber } from 'antd';
import { useTranslation } from 'react-i18next';
import { ClusterPicker } from '@/components/Pickers';
import type { ServiceValues } from './values';
import styles from './form.module.css';

interface Props {
  name: 'pinned' | 'weights';
  /** Only these, where there are any. */
  within?: string[];
}

/** A number for each cluster that was named: its replicas or its weight. */
export function ClusterNumbers({ name, within }: Props) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const numbers = Form.useWatch(name, { form, preserve: true }) ?? {};
  const named = Object.keys(numbers).sort();
  const set = (values: ServiceValues['pinned']) => form.setFieldValue(name, values);
  return (
    <div className={styles.rows} style={{ marginBottom: 14, maxWidth: 420 }}>
      {named.length === 0 && <p className="faint">{t(`service_form.no_${name}`)}</p>}
      {named.map((cluster, index) => (
        <div key={`${name}.${cluster}`} className={styles.row}>
          <Form.Item name={[name, cluster]} label={cluster} required>
            <InputNumber
              min={0}
              max={100_000}
              precision={0}
              placeholder={name === 'pinned' ? '0' : t('service_form.no_weight')}
            />
          </Form.Item>
          <Button
            type="text"
            icon={<DeleteOutlined aria-hidden />}
            className={styles.remove}
            aria-label={t('form.remove_row', { noun: t('word.cluster'), number: index + 1 })}
            onClick={() =>
              set(Object.fromEntries(Object.entries(numbers).filter(([each]) => each !== cluster)))
            }
          />
        </div>
      ))}
      <ClusterPicker<string>
        aria-label={t('service_form.add_cluster')}
        placeholder={t('service_form.add_cluster')}
        value={null}
        within={within}
        without={named}
        onChange={(cluster) => set({ ...numbers, [cluster]: 1 })}
      />
    </div>
  );
}
