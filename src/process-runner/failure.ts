import { isNativeError } from 'node:util/types';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { Answer } from './protocol.ts';

/** The result or error of a promise, in a form that can be sent. */
export async function answerOf(work: Promise<unknown>): Promise<Answer> {
  try {
    return { value: await work };
  } catch (err) {
    if (isSecuError(err)) return { failure: { code: err.code, message: err.message, details: err.details } };
    const message = isNativeError(err) ? (err.stack ?? err.message) : 'a thrown value that is no error';
    return { failure: { code: null, message, details: {} } };
  }
}

/** The result that the other process sent. @throws the error that it sent */
export function resultOf(answer: Answer): unknown {
  if ('value' in answer) return answer.value;
  const { code, message, details } = answer.failure;
  throw code === null ? new Error(message) : new SecuError(code, message, { details });
}
