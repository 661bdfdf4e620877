/** Receives one line for the operator. Embedded parts report through it and never print. */
export type PrintLine = (line: string) => void;

/**
 * The message of an error. Does not use `instanceof`: under jest, errors of Node's modules belong to another
 * realm.
 */
export function messageOf(err: unknown): string {
  return typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : String(err);
}
