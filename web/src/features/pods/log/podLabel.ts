import type { LogLine } from './logBuffer';
import type { LogPods } from './logPods';

/** How a pod is named beside its lines. */
export interface PodLabel {
  text: string;
  title: string;
  colour: number | undefined;
}

/** Pods of one service begin with its name, which says nothing then. */
export function podLabel(cluster: string, pod: string, colour: number | undefined, prefix: string): PodLabel {
  const short = pod.startsWith(prefix) ? pod.slice(prefix.length) : pod;
  return { text: `${cluster}/${short}`, title: `${cluster}/${pod}`, colour };
}

/** Whose a line is; its container too where there are several. */
export function lineLabel(
  { pod: key, container }: LogLine,
  pods: LogPods,
  prefix: string,
): PodLabel | undefined {
  if (key === undefined) return undefined;
  const slash = key.indexOf('/');
  // A whole cluster's.
  if (slash < 0) return { text: key, title: key, colour: undefined };
  const label = podLabel(key.slice(0, slash), key.slice(slash + 1), pods.colourOf(key), prefix);
  if (!container) return label;
  const text = pods.containers.length > 1 ? `${label.text}/${container}` : label.text;
  return { ...label, text, title: `${label.title}/${container}` };
}
