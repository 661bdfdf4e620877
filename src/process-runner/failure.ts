import { isNativeError } from 'node:util/types';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { Answer } from './protocol.ts';

/** What a promise came to, so that it can be sent. */
export async function answerOf(work: Promise<unknown>): Promise<Answer> {
  try {
    return { value: await work };
  } catch (err) {
    if (isSecuError(err)) return { failure: { code: err.code, message: err.message, details: err.details } };
    const message = isNativeError(err) ? (err.stack ?? err.message) : 'not an error';
    return { failure: { code: null, message, details: {} } };
  }
}

/** What it came to elsewhere. @throws the error that it came to */
export function resultOf(answer: Answer): unknown {
  if ('value' in answer) return answer.value;
  const { code, message, details } = answer.failure;
  throw code === null ? new Error(message) : new SecuError(code, message, { details });
}
