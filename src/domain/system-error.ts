/**
 * The `code` or `name` of an error of the system, such as `ENOENT` or `AbortError`. Not by `instanceof`: inside a vm
 * context, as tests have it, errors of Node's own modules belong to another realm.
 */
export function isSystemError(err: unknown, ...words: string[]): boolean {
  if (typeof err !== 'object' || err === null) return false;
  const code = 'code' in err ? err.code : undefined;
  const name = 'name' in err ? err.name : undefined;
  return words.some((word) => word === code || word === name);
}
