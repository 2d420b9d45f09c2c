import type { LogSourceState, ServiceLogFrame } from '@/api/schema';

/** So many colours tell pods apart; the names do too. */
export const COLOURS = 8;

/** A pod whose lines are in a log of several. */
export interface LogPod {
  key: string;
  cluster: string;
  pod: string;
  colour: number;
  state: LogSourceState;
}

/** Of those that are over only so many are remembered. */
const MOST_PODS = 200;

interface Known extends Omit<LogPod, 'state'> {
  containers: Map<string, LogSourceState>;
  /** The last that was noted, until another line came: a new connection tells states anew. */
  noted: LogSourceState | undefined;
}

type SourceFrame = Extract<ServiceLogFrame, { type: 'source' }>;

/** What is lasting about a log comes first where the containers of a pod differ. */
const ORDER: LogSourceState[] = ['away', 'waiting', 'followed', 'lost', 'ended'];
/** States that explain why lines are missing from here on. */
const NOTED = new Set<LogSourceState>(['away', 'lost', 'ended']);

export const podKeyOf = (cluster: string, pod: string): string => `${cluster}/${pod}`;

/** The pods of a log, in the order they came, each with a colour that stays. */
export class LogPods {
  private readonly known = new Map<string, Known>();
  private count = 0;

  /** `names` of the containers, those that were seen before included. */
  constructor(private readonly names = new Set<string>()) {}

  get list(): LogPod[] {
    return [...this.known.values()].map(({ key, cluster, pod, colour, containers }) => ({
      key,
      cluster,
      pod,
      colour,
      state: stateOf(containers),
    }));
  }

  get containers(): string[] {
    return [...this.names].sort();
  }

  colourOf(key: string): number | undefined {
    return this.known.get(key)?.colour;
  }

  /** A line came of it. */
  wrote(cluster: string, pod: string, container: string): string {
    this.names.add(container);
    const known = this.find(cluster, pod);
    known.noted = undefined;
    if (!known.containers.has(container)) known.containers.set(container, 'followed');
    return known.key;
  }

  /** Takes what became of a log in; whether it is worth a row of its own. */
  take({ cluster, pod, container, state }: SourceFrame): boolean {
    if (pod === '') return NOTED.has(state);
    const known = this.find(cluster, pod);
    if (container !== '') {
      this.names.add(container);
      known.containers.delete('');
      known.containers.set(container, state);
    } else {
      // Said of the whole pod.
      for (const name of known.containers.keys()) known.containers.set(name, state);
      if (known.containers.size === 0) known.containers.set('', state);
    }
    if (!NOTED.has(state)) return false;
    const isNew = known.noted !== state;
    known.noted = state;
    return isNew;
  }

  private find(cluster: string, pod: string): Known {
    const key = podKeyOf(cluster, pod);
    let known = this.known.get(key);
    if (!known) {
      const colour = this.count++ % COLOURS;
      known = { key, cluster, pod, colour, containers: new Map(), noted: undefined };
      this.known.set(key, known);
      this.forget();
    }
    return known;
  }

  private forget(): void {
    for (const [key, { containers }] of this.known) {
      if (this.known.size <= MOST_PODS) return;
      if (stateOf(containers) === 'ended') this.known.delete(key);
    }
  }
}

function stateOf(containers: Map<string, LogSourceState>): LogSourceState {
  const states = [...containers.values()];
  return ORDER.find((state) => states.includes(state)) ?? 'followed';
}
