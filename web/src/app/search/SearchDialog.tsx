import { SearchOutlined } from '@ant-design/icons';
import { Button, Input, type InputRef, Modal } from 'antd';
import { Fragment, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Gaps } from '@/components/Gaps';
import { StateIcon } from '@/components/StateIcon';
import { useDebounced } from '@/components/useDebounced';
import { readRecent, remember } from './recent';
import { type Found, useSearch } from './useSearch';
import styles from './search.module.css';

const TYPING_MS = 200;

/** Search over everything, by keyboard: arrows choose, Enter goes there. */
export function SearchDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useId();
  const field = useRef<InputRef>(null);
  const [text, setText] = useState('');
  const [recent] = useState(readRecent);
  const asked = useDebounced(text, TYPING_MS);
  const { found, searching, silent, gaps, retry } = useSearch(asked);
  const typed = text.trim() !== '';
  const shown = typed ? found : recent;
  const [position, setPosition] = useState(0);
  const current = Math.min(position, shown.length - 1);
  const waits = searching || asked !== text;

  const go = (chosen: Found | undefined) => {
    if (!chosen) return;
    remember(chosen);
    onClose();
    void navigate(chosen.to);
  };
  const step = (by: number) => {
    if (shown.length === 0) return;
    const next = (current + by + shown.length) % shown.length;
    setPosition(next);
    document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
  };

  return (
    <Modal
      open
      footer={null}
      closable={false}
      width={640}
      style={{ top: 64 }}
      title={<span className="visually-hidden">{t('search.title')}</span>}
      onCancel={onClose}
      afterOpenChange={(open) => open && field.current?.focus()}
    >
      <Input
        ref={field}
        size="large"
        prefix={<SearchOutlined aria-hidden />}
        placeholder={t('search.placeholder')}
        role="combobox"
        aria-label={t('search.title')}
        aria-expanded={shown.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown.length > 0 ? `${list}-${current}` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setPosition(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') step(1);
          else if (event.key === 'ArrowUp') step(-1);
          else if (event.key === 'Enter' && !event.nativeEvent.isComposing) go(shown[current]);
          else return;
          event.preventDefault();
        }}
      />
      <div id={list} role="listbox" aria-label={t('search.results')} className={styles.results}>
        {shown.map((item, index) => {
          const heading = typed ? t(`search.group.${item.group}`) : t('search.recent');
          const isFirst = index === 0 || (typed && shown[index - 1]?.group !== item.group);
          return (
            <Fragment key={`${item.group} ${item.to} ${item.label}`}>
              {isFirst && (
                <div role="presentation" className={styles.group}>
                  {heading}
                </div>
              )}
              {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above has the keys */}
              <div
                id={`${list}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === current}
                className={styles.option}
                onClick={() => go(item)}
                onMouseMove={() => setPosition(index)}
              >
                {item.tone && <StateIcon tone={item.tone} />}
                <span className={styles.label}>{item.label}</span>
                <span className={styles.hint}>{item.hint}</span>
              </div>
            </Fragment>
          );
        })}
      </div>
      <div role="status" className={styles.status}>
        {typed && waits
          ? t('search.searching')
          : typed && shown.length === 0 && silent.length === 0
            ? t('search.nothing', { text: text.trim() })
            : typed
              ? t('search.found', { count: shown.length })
              : t('search.keys')}
      </div>
      {typed && silent.length > 0 && (
        <div role="alert" className={styles.silent}>
          <StateIcon tone="failed" />
          <span>
            {t('search.silent', { kinds: silent.map((group) => t(`search.group.${group}`)).join(', ') })}
          </span>
          <Button size="small" onClick={retry}>
            {t('action.retry')}
          </Button>
        </div>
      )}
      {typed && <Gaps gaps={gaps} />}
    </Modal>
  );
}
