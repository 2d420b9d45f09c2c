import { Form, InputNumber, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Cluster } from '@/api/types';
import { Section } from '@/components/Section';
import { PlacementRules } from './PlacementRules';
import type { ServiceValues } from './values';
import styles from './form.module.css';

const STRATEGIES = ['free_capacity', 'weights', 'pinned'] as const;

export function PlacementSection({ clusters }: { clusters: Cluster[] }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const strategy = Form.useWatch('strategy', form);
  const chosen = Form.useWatch('clusters', form) ?? [];
  const shown = clusters.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
  return (
    <Section
      title={t('service_form.placement')}
      hint={t('service_form.placement_hint')}
      id="section-placement"
    >
      <Form.Item name="strategy" label={t('service_form.strategy')} required>
        <Radio.Group className={styles.choices}>
          {STRATEGIES.map((each) => (
            <Radio key={each} value={each} className={styles.choice}>
              <strong>{t(`placement.${each}`)}</strong>
              <span className={styles.choiceHint}>{t(`placement.${each}_hint`)}</span>
            </Radio>
          ))}
        </Radio.Group>
      </Form.Item>
      {strategy !== 'pinned' && (
        <div className={styles.three}>
          <Form.Item
            name="replicas"
            label={t('word.replicas')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <InputNumber min={0} max={100_000} precision={0} />
          </Form.Item>
          <Form.Item
            name="min_per_cluster"
            label={t('service_form.min_per_cluster')}
            rules={[{ required: true, message: t('form.required') }]}
          >
            <InputNumber min={0} max={1_000} precision={0} />
          </Form.Item>
          <Form.Item name="clusters" label={t('service_form.only_clusters')}>
            <Select
              mode="multiple"
              placeholder={t('service_form.all_clusters')}
              options={clusters.map(({ name, region }) => ({ value: name, label: `${name} · ${region}` }))}
            />
          </Form.Item>
        </div>
      )}
      {strategy !== 'free_capacity' && (
        <div className={styles.three}>
          {(strategy === 'pinned' ? clusters : shown).map(({ name, region }) => (
            <Form.Item
              key={`${strategy}.${name}`}
              name={[strategy === 'pinned' ? 'pinned' : 'weights', name]}
              label={
                <span>
                  {name} <span className="faint">{region}</span>
                </span>
              }
            >
              <InputNumber
                min={0}
                max={100_000}
                precision={0}
                placeholder={strategy === 'pinned' ? '0' : t('service_form.no_weight')}
              />
            </Form.Item>
          ))}
        </div>
      )}
      <PlacementRules pinned={strategy === 'pinned'} />
    </Section>
  );
}
