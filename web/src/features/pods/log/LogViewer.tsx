import { ErrorPanel } from '@/components/ErrorPanel';
import type { Feed, LogOptions } from './feed';
import { LogLines } from './LogLines';
import { LogNothing, LogStatus } from './LogStatus';
import { LogToolbar } from './LogToolbar';
import { PodLegend } from './PodLegend';
import { lineLabel } from './podLabel';
import { useLog } from './useLog';
import { useLogView } from './useLogView';
import styles from './log.module.css';

interface Props {
  feed: Feed;
  options: LogOptions;
  onOptions: (options: Partial<LogOptions>) => void;
  /** Names; those of several pods come with their lines. */
  containers?: string[];
  /** Chooses whose log it is. */
  chooser?: React.ReactNode;
  /** Of several pods, whose names begin with `prefix`. */
  several?: { prefix: string };
  /** Said while there is no line. */
  empty: string;
}

/** A log: live or as it is, searched, wrapped, downloaded. */
export function LogViewer({ feed, options, onOptions, containers, chooser, several, empty }: Props) {
  const log = useLog(feed);
  const { record, version, state } = log;
  const look = useLogView(record, version);
  const { view, shown } = look;
  const pods = several ? record.pods.list : [];
  return (
    <div className={styles.viewer}>
      <LogToolbar
        feed={feed}
        containers={containers ?? record.pods.containers}
        anyContainer={several !== undefined}
        chooser={chooser}
        options={options}
        onOptions={(next) => {
          onOptions(next);
          look.reset();
        }}
        view={view}
        onView={look.change}
        found={look.found}
        position={look.position}
        onStep={look.step}
        paused={look.paused}
        onPause={look.pause}
        onClear={log.clear}
      />
      {state.kind === 'failed' ? (
        <ErrorPanel error={state.error} onRetry={log.restart} />
      ) : (
        <div className={styles.frame}>
          {several && pods.length > 0 && (
            <PodLegend pods={pods} prefix={several.prefix} hidden={view.hidden} onToggle={look.toggle} />
          )}
          {shown.length === 0 ? (
            <LogNothing state={state} view={view} lines={record.buffer.lines.length} empty={empty} />
          ) : (
            <LogLines
              lines={shown}
              query={view.query}
              current={look.current}
              wrap={view.wrap}
              times={view.times}
              labelOf={several && ((line) => lineLabel(line, record.pods, several.prefix))}
              stick={!look.paused && options.follow}
              onStick={(stick) => {
                if (options.follow && state.kind !== 'ended') look.pause(!stick);
              }}
            />
          )}
        </div>
      )}
      <LogStatus
        state={state}
        record={record}
        count={look.lines.length}
        waiting={look.paused ? look.lines.length - shown.length : 0}
        onResume={() => look.pause(false)}
        onRestart={log.restart}
      />
    </div>
  );
}
