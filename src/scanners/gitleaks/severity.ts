import type { Severity } from '../../domain/finding.ts';

/** Keys: none of their characters is shown, and they have their own CWE (CWE-321). */
const KEYS =
  /^(?:(?:putty-|ssh2-|wireguard-)?private-key|age-secret-key|json-web-key|pkcs12-file|key-store-file|password-database-file)$/;

/**
 * The first match counts. All other rules are for credentials of a provider, which a reader can use: `critical`.
 */
const BY_RULE: ReadonlyArray<readonly [RegExp, Severity]> = [
  [/-client-id$|-access-id$|-user-api-id$|-public-key$|-pub-?(?:api-)?key$|^mailgun-pub-key$/, 'low'],
  [/^jwt(?:-base64)?$|^gcp-api-key$|^mapbox-api-token$|-test-api-token$|^sidekiq-sensitive-url$/, 'medium'],
  [/^terraform-state-file$|^htpasswd-hash$|feed-token$|incoming-mail-token$|^new-relic-browser-/, 'medium'],
  [/^generic-api-key$|^curl-auth-|-password$|^kubernetes-secret-yaml$|^docker-config-auth$/, 'high'],
  [
    /-webhook(?:-url)?$|^gitlab-session-cookie$|^pkcs12-file$|^key-store-file$|^password-database-file$/,
    'high',
  ],
];

export function severityOf(ruleId: string): Severity {
  return BY_RULE.find(([pattern]) => pattern.test(ruleId))?.[1] ?? 'critical';
}

export function isKeyRule(ruleId: string): boolean {
  return KEYS.test(ruleId);
}

/** @see CWE-798, use of hard-coded credentials; CWE-321, use of hard-coded cryptographic key */
export function weaknessesOf(ruleId: string): string[] {
  return [isKeyRule(ruleId) ? 'CWE-321' : 'CWE-798'];
}

/** Part of the hash of the rules, because it decides what is stored. */
export const SEVERITY_TABLE = JSON.stringify([
  KEYS.source,
  ...BY_RULE.map(([pattern, severity]) => [pattern.source, severity]),
]);
