/** Words such as `ImagePullBackOff` in a message of the server, most telling first. */
const REASON = /\b[A-Z]+[a-z]+[A-Za-z]*\b/g;

/** The first reason in a message that there are words for, if any. */
export function knownReason(message: string, isKnown: (reason: string) => boolean): string | undefined {
  return message.match(REASON)?.find(isKnown);
}

/** What a message says beyond how many replicas are ready, which is shown as numbers. */
export function beyondCounts(message: string): string {
  return message.replace(/^\d+ of \d+ replicas ready(?:; |$)/, '');
}
