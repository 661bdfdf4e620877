/** The query of the page's address as plain strings, so that links stay readable. */
export type Search = Record<string, string>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const set = Object.entries(search).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
  );
  // commas and slashes are allowed in a query (RFC 3986 §3.4) and easier to read
  const text = new URLSearchParams(set).toString().replaceAll('%2C', ',').replaceAll('%2F', '/');
  return text === '' ? '' : `?${text}`;
}

/** The known values of a comma list, in their own order. Unknown values are dropped, so that old links open. */
export function parseList<T extends string>(text: unknown, known: readonly T[]): T[] {
  if (typeof text !== 'string') return [];
  const given = new Set(text.split(','));
  return known.filter((value) => given.has(value));
}

/** The named parameters, each a string of at most 200 characters; others are dropped. */
export function pickSearchParams<K extends string>(search: Record<string, unknown>, names: readonly K[]) {
  const valid: Partial<Record<K, string>> = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === 'string' && value !== '' && value.length <= 200) valid[name] = value;
  }
  return valid;
}

/** A path of Secu to open after sign-in; anything that could lead to another site becomes `/`. */
export function safeRedirectPath(text: unknown): string {
  return typeof text === 'string' && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text) ? text : '/';
}
