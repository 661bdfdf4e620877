const MAX_NAME_CHARACTERS = 64;
/** In UTF-16 units as well: a grapheme can be arbitrarily long. */
const MAX_NAME_UNITS = 256;
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The display name: the first claim with a printable value, on one line. */
export function nameOf(claims: Readonly<Record<string, unknown>>): string {
  for (const name of ['preferred_username', 'email', 'name', 'sub']) {
    const value = claims[name];
    const text = typeof value === 'string' ? plain(value) : '';
    if (text !== '') return text;
  }
  return 'unnamed';
}

/** The groups of a claim; a path with dots, such as `realm_access.roles`, selects a nested value. @returns `null` without the claim */
export function groupsOf(claims: Readonly<Record<string, unknown>>, claim: string): string[] | null {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : atPath(claims, claim.split('.'));
  if (value === undefined || value === null) return null;
  return [value].flat().filter((group) => typeof group === 'string');
}

function atPath(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return atPath(Object.getOwnPropertyDescriptor(value, name)?.value, rest);
}

function plain(text: string): string {
  const printable = text
    .normalize('NFC')
    .toWellFormed()
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  const graphemes = Array.from(GRAPHEMES.segment(printable), ({ segment }) => segment);
  return graphemes.slice(0, MAX_NAME_CHARACTERS).join('').slice(0, MAX_NAME_UNITS).toWellFormed().trim();
}
