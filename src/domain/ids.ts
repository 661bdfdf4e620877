/** An id is a prefix for its kind and a ULID, so ids sort by creation time. */
export const ID_PREFIXES = {
  integration: 'int',
  credential: 'crd',
  command: 'cmd',
  repository: 'rep',
  sync: 'syn',
  scan: 'scn',
  finding: 'fnd',
  event: 'evt',
  apiKey: 'key',
  rotation: 'rot',
  worker: 'wrk',
  user: 'usr',
  session: 'ses',
  channel: 'chn',
  delivery: 'dlv',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** True when the text has the form of an id of this kind; it may not exist. */
export function isIdOf(kind: IdKind, text: string): boolean {
  return new RegExp(`^${ID_PREFIXES[kind]}_[0-9A-HJKMNP-TV-Z]{26}$`).test(text);
}
