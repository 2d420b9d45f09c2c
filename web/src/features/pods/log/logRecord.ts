import type { Frame } from './feed';
import { LogBuffer, type LogEntry, parseLine, withoutEscapes } from './logBuffer';
import { LogPods } from './logPods';

/** All that a log told: its lines, whose they are, and what is missing. */
export class LogRecord {
  readonly buffer = new LogBuffer();
  readonly pods: LogPods;
  /** Pods beyond those that are read at once. */
  leftOut = 0;
  /** Older lines were left out of the reply. */
  shortened = false;

  /** `containers` were seen before. */
  constructor(containers?: Set<string>) {
    this.pods = new LogPods(containers);
  }

  take(frame: Frame): void {
    switch (frame.type) {
      case 'lines':
        this.buffer.append(frame.lines.map((line) => this.entryOf(line)));
        break;
      case 'source':
        if (this.pods.take(frame)) {
          const { cluster, pod, container, state, reason } = frame;
          const key = pod ? `${cluster}/${pod}` : cluster;
          this.buffer.append([{ text: reason, pod: key, container, note: state }]);
        }
        break;
      case 'left_out':
        this.leftOut = frame.pods.length;
        break;
      case 'shortened':
        this.shortened = true;
        break;
      case 'end':
        break;
    }
  }

  private entryOf(line: Extract<Frame, { type: 'lines' }>['lines'][number]): LogEntry {
    if (typeof line === 'string') return parseLine(line);
    const { cluster, pod, container, at, text } = line;
    return { time: at, text: withoutEscapes(text), pod: this.pods.wrote(cluster, pod, container), container };
  }
}
