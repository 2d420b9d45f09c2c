import { asApiError } from '@/api/error';
import { retryDelay } from '@/api/live';
import type { Feed, Frame } from './feed';

export type LogState =
  | { kind: 'loading' }
  | { kind: 'following' }
  | { kind: 'read' }
  | { kind: 'reconnecting'; attempts: number }
  | { kind: 'ended'; reason: string }
  | { kind: 'failed'; error: unknown };

type Show = (frames: readonly Frame[]) => void;
type Say = (state: LogState) => void;

/** Reads a log once; gives what stops it. */
export function readLog(feed: Feed, show: Show, say: Say): () => void {
  const controller = new AbortController();
  feed
    .read(controller.signal)
    .then((frames) => {
      show(frames);
      say({ kind: 'read' });
    })
    .catch((error: unknown) => {
      if (!controller.signal.aborted) say({ kind: 'failed', error: asApiError(error) });
    });
  return () => controller.abort();
}

/** Follows a log over cut connections, each going on where the one before was; gives what stops it. */
export function followLog(feed: Feed, show: Show, say: Say): () => void {
  const stopped = new AbortController();
  let socket: WebSocket | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  let cursor: string | undefined;
  /** The present connection, and any. */
  let opened = false;
  let everOpened = false;

  const end = (state: LogState) => {
    stopped.abort();
    clearTimeout(retry);
    say(state);
  };
  /** A handshake that is refused tells a browser nothing: the plain read gives the reason. */
  const askWhy = () => {
    feed.read(stopped.signal, 1).catch((error: unknown) => {
      const { status } = asApiError(error);
      // What was there and does not answer for a while comes back.
      const isFinal = everOpened ? status >= 400 && status < 500 : status > 0;
      if (isFinal && !stopped.signal.aborted) end({ kind: 'failed', error: asApiError(error) });
    });
  };
  const connect = () => {
    const connection = new WebSocket(feed.streamUrl(cursor));
    socket = connection;
    opened = false;
    connection.onopen = () => {
      if (stopped.signal.aborted) return connection.close();
      opened = true;
      everOpened = true;
      say({ kind: 'following' });
    };
    connection.onmessage = ({ data }) => {
      // What was on its way when it was given up.
      if (stopped.signal.aborted) return;
      const frame = JSON.parse(String(data)) as Frame;
      attempts = 0;
      if (frame.type === 'end') {
        if (feed.endless) connection.close();
        else end({ kind: 'ended', reason: frame.reason });
        return;
      }
      if (frame.type === 'lines') cursor = frame.cursor;
      show([frame]);
    };
    connection.onclose = () => {
      if (stopped.signal.aborted) return;
      attempts += 1;
      say({ kind: 'reconnecting', attempts });
      retry = setTimeout(connect, retryDelay(attempts));
      if (!opened) askWhy();
    };
  };
  connect();
  return () => {
    stopped.abort();
    clearTimeout(retry);
    // One that is only being made is closed once it is: a browser complains of anything else.
    if (opened) socket?.close();
  };
}
