import type { FindingKind } from '../domain/finding.ts';

/** Changes when the parts of a fingerprint change; then all findings are new. */
export const FINGERPRINT_VERSION = 'v1';

/**
 * The identity of a finding, without its line and commit. `match` is normalised (no white space, so that a
 * re-wrapped key keeps its identity). `ordinal` counts equal matches within the file, from 0.
 */
export function fingerprintOf(input: {
  kind: FindingKind;
  ruleId: string;
  path: string;
  match: string;
  ordinal: number;
  hash: (text: string) => string;
}): string {
  const { kind, ruleId, path, match, ordinal, hash } = input;
  return `${FINGERPRINT_VERSION}:${hash(JSON.stringify([kind, ruleId, path, normalised(match), ordinal]))}`;
}

/** Hashes a fingerprint that was created with a hash function that returns the text itself. */
export function fingerprintAs(unhashed: string, hash: (text: string) => string): string {
  const version = `${FINGERPRINT_VERSION}:`;
  return `${version}${hash(unhashed.slice(version.length))}`;
}

/** The match without white space. */
export function normalised(match: string): string {
  return match.replace(/\s+/g, '');
}
