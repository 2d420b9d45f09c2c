export const ago = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();
export const now = (): string => ago(0);
