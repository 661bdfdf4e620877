import type { FindingKind } from '../domain/finding.ts';

/** Moves when the parts do: all findings are new then. */
export const FINGERPRINT_VERSION = 'v1';

/**
 * What makes a finding the same one: not its line, not its commit. `match` is normalised (no white space, so that a key
 * that is wrapped anew stays the same), `ordinal` counts the same match within the file, from 0.
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

/** A fingerprint that was made with no hash but the text itself, with this one. */
export function fingerprintAs(unhashed: string, hash: (text: string) => string): string {
  const version = `${FINGERPRINT_VERSION}:`;
  return `${version}${hash(unhashed.slice(version.length))}`;
}

/** The match without white space. */
export function normalised(match: string): string {
  return match.replace(/\s+/g, '');
}
