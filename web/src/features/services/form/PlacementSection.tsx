import { Form, InputNumber, Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { ClusterPicker } from '@/components/Pickers';
import { Section } from '@/components/Section';
import { ClusterNumbers } from './ClusterNumbers';
import { PlacementRules } from './PlacementRules';
import type { ServiceValues } from './values';
import styles from './form.module.css';

const STRATEGIES = ['free_capacity', 'weights', 'pinned'] as const;

/** How replicas are divided; `spanned` are the clusters of the environment, none for all. */
export function PlacementSection({ spanned }: { spanned?: string[] }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<ServiceValues>();
  const strategy = Form.useWatch('strategy', form);
  const chosen = Form.useWatch('clusters', form) ?? [];
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
            <ClusterPicker<string[]>
              mode="multiple"
              within={spanned}
              placeholder={t('service_form.all_clusters')}
            />
          </Form.Item>
        </div>
      )}
      {strategy === 'pinned' && <ClusterNumbers name="pinned" within={spanned} />}
      {strategy === 'weights' && (
        <ClusterNumbers name="weights" within={chosen.length > 0 ? chosen : spanned} />
      )}
      <PlacementRules pinned={strategy === 'pinned'} />
    </Section>
  );
}
