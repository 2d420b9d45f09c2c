import { useEffect, useMemo, useState } from 'react';
import type { Feed, Frame } from './feed';
import { followLog, type LogState, readLog } from './followLog';
import { LogRecord } from './logRecord';

/** Reads a log, and follows it over cut connections; what arrives is in `record`, `version` tells when. */
export function useLog(feed: Feed) {
  const [attempt, setAttempt] = useState(0);
  const [version, setVersion] = useState(0);
  // Which containers there are stays known while only one of them is asked for.
  const [containers] = useState(() => new Set<string>());
  // A log that is asked for differently is another log.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const record = useMemo(() => new LogRecord(containers), [feed, attempt]);
  const [state, setState] = useState<{ of: LogRecord; state: LogState }>({
    of: record,
    state: { kind: 'loading' },
  });

  useEffect(() => {
    const say = (next: LogState) => setState({ of: record, state: next });
    let frame: number | undefined;
    const show = (frames: readonly Frame[]) => {
      for (const each of frames) record.take(each);
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setVersion((count) => count + 1);
      });
    };
    const stop = feed.live ? followLog(feed, show, say) : readLog(feed, show, say);
    return () => {
      stop();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [feed, record]);

  const loading: LogState = { kind: 'loading' };
  return {
    record,
    version,
    state: state.of === record ? state.state : loading,
    restart: () => setAttempt((count) => count + 1),
    clear: () => {
      record.buffer.clear();
      setVersion((count) => count + 1);
    },
  };
}
