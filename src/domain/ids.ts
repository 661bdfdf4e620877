/** An id is a prefix that says what it names and a ULID, so that ids sort by the time they were made. */
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

/** True when the text has the form of an id of this kind; says nothing about whether it exists. */
export function isIdOf(kind: IdKind, text: string): boolean {
  return new RegExp(`^${ID_PREFIXES[kind]}_[0-9A-HJKMNP-TV-Z]{26}$`).test(text);
}
