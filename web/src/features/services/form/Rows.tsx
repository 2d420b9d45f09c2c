import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Form } from 'antd';
import { useTranslation } from 'react-i18next';
import styles from './form.module.css';

interface Props<T> {
  name: string | string[];
  /** Of one row, for the button that removes it. */
  noun: string;
  addLabel: string;
  fresh: () => T;
  empty: string;
  stacked?: boolean;
  children: (index: number) => React.ReactNode;
}

/** A list of rows that can grow and shrink. */
export function Rows<T>({ name, noun, addLabel, fresh, empty, stacked = false, children }: Props<T>) {
  const { t } = useTranslation();
  return (
    <Form.List name={name}>
      {(fields, { add, remove }) => (
        <div className={styles.rows}>
          {fields.length === 0 && <p className="faint">{empty}</p>}
          {fields.map((field, index) => (
            <div key={field.key} className={stacked ? styles.stacked : styles.row}>
              {children(field.name)}
              <Button
                type="text"
                icon={<DeleteOutlined aria-hidden />}
                className={styles.remove}
                aria-label={t('form.remove_row', { noun, number: index + 1 })}
                onClick={() => remove(field.name)}
              />
            </div>
          ))}
          <Button icon={<PlusOutlined aria-hidden />} onClick={() => add(fresh())} className={styles.add}>
            {addLabel}
          </Button>
        </div>
      )}
    </Form.List>
  );
}
