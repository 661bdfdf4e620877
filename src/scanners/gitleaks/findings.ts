import type { Hit } from '../excerpt.ts';
import { normalised } from '../fingerprint.ts';
import type { Found } from '../found.ts';
import type { Leak } from './report.ts';
import { isKeyRule, severityOf, weaknessesOf } from './severity.ts';
import { titleOf } from './titles.ts';

/** The identity of a leak within a repository, without its ordinal. */
export function identityOf({ leak, path }: { leak: Leak; path: string }): string {
  return JSON.stringify([leak.ruleId, path, normalised(leak.secret)]);
}

/** Converts a leak to a match. */
export function foundOf(leak: Leak, introducedIn: string | null): Found {
  const { ruleId, secret, startLine, endLine } = leak;
  const hit = hitOf(leak);
  return {
    kind: 'secret',
    scanner: 'gitleaks',
    ruleId,
    title: titleOf(ruleId),
    severity: severityOf(ruleId),
    cwe: weaknessesOf(ruleId),
    startLine,
    endLine,
    place: hit,
    match: secret,
    introducedIn,
    secrets: [hit],
  };
}

function hitOf(leak: Leak): Hit {
  const { secret, startLine, endLine, startColumn, endColumn } = leak;
  return {
    secret,
    startLine,
    endLine: Math.max(startLine, endLine),
    startColumn,
    endColumn,
    isDecoded: leak.tags?.some((tag) => tag.startsWith('decoded:')) ?? false,
    isKey: isKeyRule(leak.ruleId),
  };
}
