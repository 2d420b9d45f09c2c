import {
  ClearOutlined,
  DownloadOutlined,
  DownOutlined,
  PauseOutlined,
  CaretRightOutlined,
  UpOutlined,
} from '@ant-design/icons';
import { Button, Checkbox, Input, Select, Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Feed, LogOptions } from './feed';
import { SINCE, TAILS } from './options';
import type { LogView } from './useLogView';
import styles from './log.module.css';

interface Props {
  feed: Feed;
  containers: string[];
  /** All of them can be asked for. */
  anyContainer: boolean;
  chooser?: React.ReactNode;
  options: LogOptions;
  onOptions: (options: Partial<LogOptions>) => void;
  view: LogView;
  onView: (view: Partial<LogView>) => void;
  found: number;
  position: number | undefined;
  onStep: (by: 1 | -1) => void;
  paused: boolean;
  onPause: (paused: boolean) => void;
  onClear: () => void;
}

export function LogToolbar(props: Props) {
  const { t } = useTranslation();
  const { feed, containers, anyContainer, chooser, options, onOptions, view, onView, paused, onPause } =
    props;
  return (
    <div className={styles.toolbar}>
      <div className={styles.tools}>
        {chooser}
        {containers.length > 1 && (
          <Select
            aria-label={t('word.container')}
            value={options.container ?? ''}
            onChange={(container) => onOptions({ container: container || undefined })}
            options={[
              ...(anyContainer ? [{ value: '', label: t('log.all_containers') }] : []),
              ...containers.map((value) => ({ value, label: value })),
            ]}
          />
        )}
        <Select
          aria-label={t('log.tail')}
          value={options.tail}
          onChange={(tail) => onOptions({ tail })}
          options={TAILS.map((count) => ({ value: count, label: t('log.last_lines', { count }) }))}
        />
        <Select
          aria-label={t('log.since')}
          value={options.sinceSeconds ?? 0}
          onChange={(seconds) => onOptions({ sinceSeconds: seconds || undefined })}
          options={[
            { value: 0, label: t('log.since_start') },
            ...SINCE.map((seconds) => ({
              value: seconds,
              label:
                seconds < 3_600
                  ? t('log.since_minutes', { count: seconds / 60 })
                  : t('log.since_hours', { count: seconds / 3_600 }),
            })),
          ]}
        />
        <Checkbox
          checked={options.follow && !options.previous}
          disabled={options.previous}
          onChange={({ target }) => onOptions({ follow: target.checked })}
        >
          {t('log.follow')}
        </Checkbox>
        <Tooltip title={t('log.previous_hint')}>
          <Checkbox
            checked={options.previous}
            onChange={({ target }) => onOptions({ previous: target.checked })}
          >
            {t('log.previous')}
          </Checkbox>
        </Tooltip>
      </div>
      <div className={styles.tools}>
        <Input.Search
          allowClear
          aria-label={t('log.search')}
          placeholder={t('log.search')}
          value={view.query}
          onChange={({ target }) => onView({ query: target.value })}
          onSearch={(_value, _event, info) => {
            if (info?.source !== 'clear') props.onStep(1);
          }}
          style={{ width: 220 }}
        />
        {view.query && (
          <>
            <span className="number muted">
              {props.position === undefined ? props.found : `${props.position + 1}/${props.found}`}
            </span>
            <Button
              size="small"
              icon={<UpOutlined aria-hidden />}
              aria-label={t('log.match_before')}
              onClick={() => props.onStep(-1)}
            />
            <Button
              size="small"
              icon={<DownOutlined aria-hidden />}
              aria-label={t('log.match_after')}
              onClick={() => props.onStep(1)}
            />
            <Checkbox
              checked={view.onlyMatches}
              onChange={({ target }) => onView({ onlyMatches: target.checked })}
            >
              {t('log.only_matches')}
            </Checkbox>
          </>
        )}
        <Checkbox checked={view.wrap} onChange={({ target }) => onView({ wrap: target.checked })}>
          {t('log.wrap')}
        </Checkbox>
        <Checkbox checked={view.times} onChange={({ target }) => onView({ times: target.checked })}>
          {t('log.times')}
        </Checkbox>
        <span className={styles.space} />
        {options.follow && !options.previous && (
          <Button
            icon={paused ? <CaretRightOutlined aria-hidden /> : <PauseOutlined aria-hidden />}
            aria-pressed={paused}
            onClick={() => onPause(!paused)}
          >
            {t(paused ? 'log.resume' : 'log.pause')}
          </Button>
        )}
        <Tooltip title={t('log.clear')}>
          <Button icon={<ClearOutlined aria-hidden />} aria-label={t('log.clear')} onClick={props.onClear} />
        </Tooltip>
        <Tooltip title={t('log.download')}>
          <Button
            icon={<DownloadOutlined aria-hidden />}
            aria-label={t('log.download')}
            href={feed.downloadUrl}
            download={feed.fileName}
          />
        </Tooltip>
      </div>
    </div>
  );
}
