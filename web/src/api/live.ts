import type { Change, Topic } from './types';

export const TOPICS: Topic[] = [
  'clusters',
  'projects',
  'services',
  'operations',
  'workloads',
  'pods',
  'audit',
];

/** The parts of a query key that a change is compared with: the path's template and its parameters. */
export interface QueryAddress {
  path: string;
  parameters: Record<string, unknown>;
}

export function addressOf(queryKey: readonly unknown[]): QueryAddress | undefined {
  const [path, init] = queryKey;
  if (typeof path !== 'string') return undefined;
  const params = (init as { params?: { path?: object; query?: object } } | undefined)?.params;
  return { path, parameters: { ...params?.query, ...params?.path } };
}

const PATHS: Record<Topic, RegExp[]> = {
  clusters: [
    /\/clusters(\/\{cluster\})?$/,
    /\/clusters\/\{cluster\}\/(nodes|history)$/,
    /\/overview$/,
    /\/assignments$/,
    /\/volumes$/,
  ],
  projects: [/\/projects(\/\{project\})?$/, /\/environments(\/\{environment\})?$/],
  services: [
    /\/services(\/\{service\})?$/,
    /\/revisions$/,
    /\/autoscaling(\/decisions)?$/,
    /\/assignments$/,
    /\/volumes$/,
    /\/overview$/,
    /\/projects$/,
    /\/environments$/,
  ],
  operations: [/\/operations(\/\{\w+\})?$/, /\/overview$/, /\/services\/\{service\}$/],
  workloads: [/\/services(\/\{service\})?$/, /\/volumes$/, /\/assignments$/, /\/overview$/, /\/events$/],
  pods: [/\/pods(\/\{pod\})?$/, /\/events$/],
  audit: [/\/audit$/],
};

const SCOPES = ['project', 'environment', 'service', 'cluster'] as const;

/** Whether what the query shows may have changed. A change that names less touches more. */
export function touches(change: Change, address: QueryAddress): boolean {
  const patterns = PATHS[change.topic];
  if (!patterns?.some((pattern) => pattern.test(address.path))) return false;
  // A cluster that goes away changes the services on it, which the change does not name.
  return SCOPES.every((scope) => {
    const changed = change[scope];
    const shown = address.parameters[scope];
    return !changed || typeof shown !== 'string' || shown === '' || shown === changed;
  });
}

export type LiveState =
  { kind: 'connecting' } | { kind: 'open' } | { kind: 'down'; since: number; attempts: number };

export type LiveAction = { type: 'opened' } | { type: 'failed'; at: number } | { type: 'closed' };

/** How the event stream fares; a failure keeps the time of the first one of its run. */
export function liveReducer(state: LiveState, action: LiveAction): LiveState {
  switch (action.type) {
    case 'opened':
      return { kind: 'open' };
    case 'closed':
      return { kind: 'connecting' };
    case 'failed':
      return state.kind === 'down'
        ? { ...state, attempts: state.attempts + 1 }
        : { kind: 'down', since: action.at, attempts: 1 };
  }
}

/** Milliseconds before the next try: 1, 2, 4, 8 s and then every 15 s. */
export function retryDelay(attempts: number): number {
  return Math.min(15_000, 1_000 * 2 ** Math.max(0, attempts - 1));
}

export function parseChange(data: string): Change | undefined {
  try {
    const value = JSON.parse(data) as Partial<Change>;
    return typeof value.topic === 'string' ? (value as Change) : undefined;
  } catch {
    return undefined;
  }
}
