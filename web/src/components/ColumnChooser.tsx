import { SettingOutlined } from '@ant-design/icons';
import { Button, Checkbox, Popover, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './ColumnChooser.module.css';

type Columns<T> = TableColumnsType<T>;

/** The keys that were taken off a list, as this browser remembers them. */
function readChoice(list: string): Record<string, boolean> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`longshore.columns.${list}`) ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, boolean>) : {};
  } catch {
    return {};
  }
}

/**
 * A list's columns as they were chosen here before, and the button to choose them. `fixed` ones always stay;
 * `extra` ones are off until somebody asks for them. What was never chosen is as the list has it.
 */
export function useColumnChoice<T>(
  list: string,
  columns: Columns<T>,
  { fixed, extra = [] }: { fixed: readonly string[]; extra?: readonly string[] },
): { columns: Columns<T>; chooser: React.ReactNode } {
  const { t } = useTranslation();
  const [choice, setChoice] = useState(() => readChoice(list));
  const choose = (next: Record<string, boolean>) => {
    setChoice(next);
    localStorage.setItem(`longshore.columns.${list}`, JSON.stringify(next));
  };
  const isShown = (key: string) => fixed.includes(key) || (choice[key] ?? !extra.includes(key));
  const optional = columns.filter(({ key }) => !fixed.includes(String(key)));
  return {
    columns: columns.flatMap((column) => {
      const key = String(column.key);
      if (!isShown(key)) return [];
      // What was asked for by name is there at every width.
      return [choice[key] ? { ...column, responsive: undefined } : column];
    }),
    chooser: (
      <Popover
        trigger="click"
        placement="bottomRight"
        content={
          <fieldset className={styles.choices}>
            <legend>{t('columns.title')}</legend>
            {optional.map(({ key, title }) => (
              <Checkbox
                key={String(key)}
                checked={isShown(String(key))}
                onChange={({ target }) => choose({ ...choice, [String(key)]: target.checked })}
              >
                {title as React.ReactNode}
              </Checkbox>
            ))}
            <Button size="small" onClick={() => choose({})}>
              {t('columns.reset')}
            </Button>
          </fieldset>
        }
      >
        <Button icon={<SettingOutlined aria-hidden />} aria-label={t('columns.choose')} />
      </Popover>
    ),
  };
}
