import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { type LogLine, splitMatches } from './logBuffer';
import type { PodLabel } from './podLabel';
import styles from './log.module.css';

const LINE_HEIGHT = 19;
/** A line of this many characters is shown by its head only; the download has it whole. */
const MOST_CHARACTERS = 8_000;

interface Props {
  lines: LogLine[];
  query: string;
  current: number | undefined;
  wrap: boolean;
  times: boolean;
  /** Whose a line is, where that is not clear. */
  labelOf: ((line: LogLine) => PodLabel | undefined) | undefined;
  /** Keep the newest line in view. */
  stick: boolean;
  onStick: (stick: boolean) => void;
}

/** The lines in view; all others are not in the page. */
export function LogLines({ lines, query, current, wrap, times, labelOf, stick, onStick }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const count = lines.length;
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is made anew on each render on purpose
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
    getItemKey: (index) => lines[index]?.id ?? index,
  });
  const last = lines.at(-1)?.id;

  useEffect(() => {
    if (stick && count > 0) virtual.scrollToIndex(count - 1, { align: 'end' });
  }, [stick, last, count, wrap, virtual]);

  useEffect(() => {
    if (current !== undefined) virtual.scrollToIndex(current, { align: 'center' });
  }, [current, virtual]);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- they only tell that one scrolls
    <div
      ref={scroller}
      className={styles.scroller}
      role="log"
      aria-live="off"
      aria-label={t('log.lines')}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard
      tabIndex={0}
      onWheel={(event) => {
        if (event.deltaY < 0) onStick(false);
      }}
      onScroll={({ currentTarget }) => {
        const left = currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight;
        if (left < 4 && !stick) onStick(true);
      }}
      onKeyDown={({ key }) => {
        if (key === 'PageUp' || key === 'ArrowUp' || key === 'Home') onStick(false);
      }}
    >
      <div style={{ height: virtual.getTotalSize(), position: 'relative', minWidth: '100%' }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index];
          const label = line && labelOf?.(line);
          return line ? (
            <div
              key={key}
              data-index={index}
              ref={virtual.measureElement}
              className={styles.line}
              data-wrap={wrap}
              data-current={index === current}
              style={{ transform: `translateY(${start}px)` }}
            >
              {times && line.time && (
                <span className={styles.time}>{line.time.slice(0, 23).replace('T', ' ')}</span>
              )}
              {label && (
                <span className={styles.source} data-colour={label.colour} title={label.title}>
                  {label.text}
                </span>
              )}
              {line.note ? (
                <em className={styles.note}>
                  {t(`log.source_${line.note}`)}
                  {line.text && `: ${line.text}`}
                </em>
              ) : (
                <LineText text={line.text} query={query} />
              )}
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

const LineText = memo(function LineText({ text, query }: { text: string; query: string }) {
  const { t } = useTranslation();
  const cut = text.length > MOST_CHARACTERS;
  return (
    <span className={styles.text}>
      {splitMatches(cut ? text.slice(0, MOST_CHARACTERS) : text, query).map((part, index) =>
        index % 2 === 1 ? <mark key={index}>{part}</mark> : part,
      )}
      {cut && <em className={styles.cut}> {t('log.cut', { count: text.length - MOST_CHARACTERS })}</em>}
    </span>
  );
});
