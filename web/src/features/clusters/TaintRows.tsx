import { Form, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Taint } from '@/api/types';
import { Rows } from '@/features/services/form/Rows';

export interface TaintValues {
  key: string;
  value?: string;
  effect: NonNullable<Taint['effect']>;
}

const EFFECTS = ['no_placement', 'evict'] as const;

export function taintsFromRows(rows: TaintValues[] | undefined): Taint[] {
  return (rows ?? []).map(({ key, value, effect }) => ({
    key: key.trim(),
    value: value?.trim() ?? '',
    effect,
  }));
}

/** Taints of a cluster, in a form's field `taints`. */
export function TaintRows() {
  const { t } = useTranslation();
  return (
    <Form.Item label={t('cluster.taints')} extra={t('cluster.taints_hint')}>
      <Rows<TaintValues>
        name="taints"
        noun={t('cluster.taint')}
        addLabel={t('cluster.add_taint')}
        empty={t('cluster.no_taints')}
        fresh={() => ({ key: '', value: '', effect: 'no_placement' })}
      >
        {(index) => (
          <>
            <Form.Item
              name={[index, 'key']}
              label={t('cluster.taint_key')}
              rules={[{ required: true, message: t('form.required') }]}
            >
              <Input autoComplete="off" className="mono" />
            </Form.Item>
            <Form.Item name={[index, 'value']} label={t('word.value')}>
              <Input autoComplete="off" className="mono" />
            </Form.Item>
            <Form.Item name={[index, 'effect']} label={t('cluster.taint_effect')}>
              <Select options={EFFECTS.map((value) => ({ value, label: t(`cluster.effect_${value}`) }))} />
            </Form.Item>
          </>
        )}
      </Rows>
    </Form.Item>
  );
}
