import { INVALID_CAUSES, REACHABILITY_CAUSES, SCAN_CAUSES } from './causes.ts';

/**
 * Every error code of Secu. `src/api/errors.ts` maps a code to an HTTP status, `src/temporal/activity-failure.ts`
 * to a Temporal failure. Both tables are total: a new code does not compile until both have an entry.
 */
export const SECU_ERROR_CODES = [
  // caused by the caller
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'payload_too_large',
  'unsupported_media_type',
  'misdirected_request',
  'too_many_requests',
  'name_taken',
  'token_in_use',
  'origin_not_allowed',
  'idempotency_key_reused',
  'idempotency_in_progress',
  'managed_by_environment',
  'reach_shrinks',
  'setup_code_invalid',
  'setup_done',
  'last_administrator',
  'rotation_not_possible',
  'mail_not_configured',
  'channel_off',
  // causes of invalid tokens, of outages and of failed scans
  ...INVALID_CAUSES,
  ...REACHABILITY_CAUSES,
  ...SCAN_CAUSES,
  // caused by Secu itself
  'secret_unreadable',
  'key_unknown',
  'invalid_settings',
  'home_in_use',
  'tool_unavailable',
  'embedded_failed',
  'database_unavailable',
  'schema_mismatch',
  'temporal_unavailable',
  'sign_on_unavailable',
  'internal',
] as const;

export type SecuErrorCode = (typeof SECU_ERROR_CODES)[number];

/**
 * The only error class of Secu. `code` is for programs, `message` for the operator; `details` holds plain data
 * that an answer may carry (an id, counts). None of them ever holds a token, a URL with user info or a header.
 */
export class SecuError extends Error {
  readonly code: SecuErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: SecuErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SecuError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Thrown when the caller's AbortSignal fires. */
export function canceled(): SecuError {
  return new SecuError('canceled', 'the operation was canceled');
}

/** True for a SecuError; with codes given, only for one of these codes. */
export function isSecuError(err: unknown, ...codes: SecuErrorCode[]): err is SecuError {
  return err instanceof SecuError && (codes.length === 0 || codes.includes(err.code));
}
