/** A UUID v4; `crypto.randomUUID` is missing where the page is served over plain HTTP from another host. */
export function uuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * Keys of POSTs that were sent and not yet answered. A request that is sent again since no answer came
 * carries the key of the first try, so that the server does the work once.
 */
export class IdempotencyKeys {
  private readonly unanswered = new Map<string, string>();

  keyFor(url: string, body: string): string {
    const request = `${url}\n${body}`;
    const known = this.unanswered.get(request);
    if (known) return known;
    const key = uuid();
    this.unanswered.set(request, key);
    return key;
  }

  answered(key: string | null): void {
    for (const [request, held] of this.unanswered) {
      if (held === key) this.unanswered.delete(request);
    }
  }
}
