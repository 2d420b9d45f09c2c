import type { FieldError } from './types';

/** What changed under somebody who edited an older version. */
export interface VersionConflict {
  current_version?: number;
  changed_by?: string;
  changed_at?: string;
  changed_fields?: string[];
}

/** A refusal of the API, or a reply that never came (`code` is then `network`, `status` 0). */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
  readonly details: Record<string, unknown>;

  constructor(status: number, code: string, message: string, requestId = '', details: unknown = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.details = isRecord(details) ? details : {};
  }

  /** The fields that the server did not take. */
  get fields(): FieldError[] {
    const fields = this.details.fields;
    return Array.isArray(fields) ? fields.filter(isFieldError) : [];
  }

  get conflict(): VersionConflict | undefined {
    return this.code === 'version_conflict' ? this.details : undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value.field === 'string' && typeof value.message === 'string';
}

/** Reads the error envelope; a body that is none (a proxy's page) still becomes something to show. */
export function errorFromReply(status: number, text: string, requestId: string | null): ApiError {
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body) && typeof body.code === 'string' && typeof body.message === 'string') {
      const id = typeof body.request_id === 'string' ? body.request_id : (requestId ?? '');
      return new ApiError(status, body.code, body.message, id, body.details);
    }
  } catch {
    // Not JSON: falls through to the generic error.
  }
  return new ApiError(status, `http_${status}`, text.slice(0, 300).trim(), requestId ?? '');
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(0, 'network', message);
}
