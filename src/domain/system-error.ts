/**
 * True when an error of the system has one of these codes or names, such as `ENOENT` or `AbortError`. It does not
 * use `instanceof`: inside a vm context, as in jest, errors of Node's own modules come from another realm.
 */
export function isSystemError(err: unknown, ...codesOrNames: string[]): boolean {
  if (typeof err !== 'object' || err === null) return false;
  const code = 'code' in err ? err.code : undefined;
  const name = 'name' in err ? err.name : undefined;
  return codesOrNames.some((text) => text === code || text === name);
}

/** Names of errors without a code. */
const NAMES_USED_AS_CODES = new Set<unknown>(['TimeoutError', 'HTTPParserError']);
const MAX_CAUSE_DEPTH = 5;

/**
 * Error codes of Node, OpenSSL and undici along the chain of causes. Several failed addresses of one host arrive
 * as one error with `errors`.
 */
export function errorCodesOf(err: unknown, depth = 0): string[] {
  if (typeof err !== 'object' || err === null || depth > MAX_CAUSE_DEPTH) return [];
  const { code, name, cause, errors } = err as Record<'code' | 'name' | 'cause' | 'errors', unknown>;
  const parts = Array.isArray(errors) ? errors.flatMap((part: unknown) => errorCodesOf(part, depth + 1)) : [];
  const all = [
    code,
    NAMES_USED_AS_CODES.has(name) ? name : null,
    ...errorCodesOf(cause, depth + 1),
    ...parts,
  ];
  return all.filter(isCode);
}

function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z_]\w{1,60}$/.test(value);
}
