import { Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Rows } from '@/features/services/form/Rows';

export interface LabelValues {
  name: string;
  value: string;
}

export function labelsFromRows(rows: LabelValues[] | undefined): Record<string, string> {
  return Object.fromEntries((rows ?? []).map(({ name, value }) => [name.trim(), value?.trim() ?? '']));
}

/** Labels of a cluster, in a form's field `labels`. */
export function LabelRows() {
  const { t } = useTranslation();
  return (
    <Form.Item label={t('cluster.labels')}>
      <Rows<LabelValues>
        name="labels"
        noun={t('cluster.label')}
        addLabel={t('cluster.add_label')}
        empty={t('cluster.no_labels')}
        fresh={() => ({ name: '', value: '' })}
      >
        {(index) => (
          <>
            <Form.Item
              name={[index, 'name']}
              label={t('word.name')}
              rules={[{ required: true, message: t('form.required') }]}
            >
              <Input autoComplete="off" className="mono" />
            </Form.Item>
            <Form.Item name={[index, 'value']} label={t('word.value')}>
              <Input autoComplete="off" className="mono" />
            </Form.Item>
          </>
        )}
      </Rows>
    </Form.Item>
  );
}
