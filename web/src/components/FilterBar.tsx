import { CloseOutlined, SearchOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './FilterBar.module.css';

const TYPING_MS = 300;

interface SearchProps {
  value: string | undefined;
  placeholder: string;
  onChange: (value: string | undefined) => void;
}

/** A text filter that waits for a pause in typing. */
export function SearchFilter({ value, placeholder, onChange }: SearchProps) {
  const [typed, setTyped] = useState(value ?? '');
  const [known, setKnown] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  if (known !== value) {
    setKnown(value);
    setTyped(value ?? '');
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <Input
      className={styles.search}
      allowClear
      prefix={<SearchOutlined aria-hidden />}
      placeholder={placeholder}
      aria-label={placeholder}
      value={typed}
      onChange={(event) => {
        const text = event.target.value;
        setTyped(text);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          setKnown(text.trim() || undefined);
          onChange(text.trim() || undefined);
        }, TYPING_MS);
      }}
    />
  );
}

interface Chip {
  name: string;
  label: string;
  value: string;
}

interface BarProps {
  children: React.ReactNode;
  chips: Chip[];
  onRemove: (name: string) => void;
  onClear: () => void;
  /** At the end of the line: what is about the list and not what is in it. */
  extra?: React.ReactNode;
}

/** The filters of a list, and those in force as chips that can be taken off. */
export function FilterBar({ children, chips, onRemove, onClear, extra }: BarProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.bar} role="search">
      <div className={styles.line}>
        <div className={styles.inputs}>{children}</div>
        {extra}
      </div>
      {chips.length > 0 && (
        <div className={styles.chips}>
          {chips.map(({ name, label, value }) => (
            <span key={name} className={styles.chip}>
              <span className="faint">{label}</span> {value}
              <button type="button" aria-label={t('filter.remove', { label })} onClick={() => onRemove(name)}>
                <CloseOutlined aria-hidden />
              </button>
            </span>
          ))}
          <Button type="link" size="small" onClick={onClear}>
            {t('filter.clear')}
          </Button>
        </div>
      )}
    </div>
  );
}
