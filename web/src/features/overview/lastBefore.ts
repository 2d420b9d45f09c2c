import type { Operation } from '@/api/types';

/** Clocks of the services that write these times may differ by so much. */
const SLACK_MS = 1_000;

/** The newest operation that began before something went wrong: what to suspect first. */
export function lastBefore(operations: readonly Operation[], since: string): Operation | undefined {
  const moment = Date.parse(since) + SLACK_MS;
  return operations
    .filter(({ created_at }) => Date.parse(created_at) <= moment)
    .reduce<Operation | undefined>(
      (last, each) => (last && Date.parse(last.created_at) >= Date.parse(each.created_at) ? last : each),
      undefined,
    );
}
