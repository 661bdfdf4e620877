import { isNativeError } from 'node:util/types';
import { SecuError } from '../domain/errors.ts';

const MAX_CAUSE_DEPTH = 5;

/**
 * An error for the log. Only these fields, because client libraries attach the request with its headers.
 */
export function describeError(err: unknown, depth = 0): unknown {
  if (!isNativeError(err))
    return typeof err === 'string' ? { message: err } : { message: 'not an error', type: typeof err };
  return {
    type: err.name,
    message: err.message,
    ...('code' in err && isPlain(err.code) ? { code: err.code } : {}),
    ...(err instanceof SecuError && Object.keys(err.details).length > 0 ? { details: err.details } : {}),
    stack: err.stack,
    ...(err.cause === undefined || depth >= MAX_CAUSE_DEPTH
      ? {}
      : { cause: describeError(err.cause, depth + 1) }),
  };
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
