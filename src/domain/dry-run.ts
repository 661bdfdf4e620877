import type { InvalidCause, ReachabilityCause } from './causes.ts';
import { INVALID_CAUSES } from './causes.ts';
import type { CheckName, DryRunCause, WrongKindCause } from './dry-run-causes.ts';
import { DRY_RUN_CAUSES } from './dry-run-causes.ts';
import type { TokenFacts } from './integration.ts';
import { daysLeft } from './token-expiry.ts';
import { canList, overpoweredScopes } from './verification.ts';

export const CHECK_STATUSES = ['ok', 'failed', 'warning', 'skipped'] as const;

export interface Check {
  name: CheckName;
  status: (typeof CHECK_STATUSES)[number];
  cause: DryRunCause | null;
  /** What was observed, as text for a person. */
  detail: string | null;
  advice: string | null;
}

export const DRY_RUN_VERDICTS = ['usable', 'unusable', 'unknown'] as const;

export interface DryRun {
  verdict: (typeof DRY_RUN_VERDICTS)[number];
  /** The cause that the integration would have. */
  cause: InvalidCause | ReachabilityCause | 'origin_not_allowed' | null;
  advice: string | null;
  token: TokenFacts | null;
  checks: Check[];
  reach: Reach | null;
}

/**
 * How much a token can read, as GitLab counts it; `null` where GitLab does not count (above 10,000 projects).
 */
export interface Reach {
  groups: number | null;
  projects: number | null;
  /** How many of these projects are archived. */
  archived: number | null;
  /** Projects of which the token owner is a member, in any role. */
  memberships: number | null;
}

/** The result of one step: it worked, it was refused with a cause, or it was not tried. */
export type Step =
  | { kind: 'ok'; detail: string | null }
  | { kind: 'refused'; cause: DryRunCause; detail: string | null }
  | NotTried;
export interface NotTried {
  kind: 'not_tried';
  detail: string | null;
}

export interface DryRunObservations {
  origin: Step;
  dns: Step;
  tcp: Step;
  tls: Step;
  /** Whole days until the server certificate expires. */
  certificateDays: number | null;
  gitlab: Step;
  prefixKind: WrongKindCause | null;
  self: Step;
  /** Known if `self` is ok, or if the token is valid but may not read itself. */
  token: TokenFacts | null;
  list: Step;
  clone: Step;
  reach: Reach | null;
  rateLimit: { limit: number; remaining: number } | null;
}

export const NOT_TRIED: NotTried = { kind: 'not_tried', detail: null };

const SOON_DAYS = 14;
const LOW_SHARE = 0.1;

/** Turns observations into checks and a verdict. Only a definite "no" makes a token unusable. */
export function dryRunOf(
  observed: DryRunObservations,
  { wantsRotation, nowMs }: { wantsRotation: boolean; nowMs: number },
): DryRun {
  const checks = [
    stepCheck('origin', observed.origin),
    stepCheck('dns', observed.dns),
    stepCheck('tcp', observed.tcp),
    tlsCheck(observed),
    stepCheck('gitlab', observed.gitlab),
    shapeCheck(observed),
    aliveCheck(observed),
    ...tokenChecks(observed, { wantsRotation, nowMs }),
    stepCheck('list', observed.list),
    stepCheck('clone', observed.clone),
    reachCheck(observed),
    rateLimitCheck(observed),
  ];
  const failed = checks.find((check) => check.status === 'failed');
  const cause = failed?.cause ?? null;
  const as = cause === null ? null : DRY_RUN_CAUSES[cause].as;
  const isDefinite = as === 'origin_not_allowed' || INVALID_CAUSES.some((known) => known === as);
  return {
    verdict: failed === undefined ? 'usable' : isDefinite ? 'unusable' : 'unknown',
    cause: as,
    advice: failed?.advice ?? null,
    token: observed.token,
    checks,
    reach: observed.reach,
  };
}

function ok(name: CheckName, detail: string | null = null): Check {
  return { name, status: 'ok', cause: null, detail, advice: null };
}

function skipped(name: CheckName, detail: string | null = null): Check {
  return { name, status: 'skipped', cause: null, detail, advice: null };
}

/** A cause that an integration would not show is always a warning. */
function withCause(name: CheckName, cause: DryRunCause, detail: string | null = null): Check {
  const { as, advice } = DRY_RUN_CAUSES[cause];
  return { name, status: as === null ? 'warning' : 'failed', cause, detail, advice };
}

function stepCheck(name: CheckName, step: Step): Check {
  switch (step.kind) {
    case 'ok':
      return ok(name, step.detail);
    case 'not_tried':
      return skipped(name, step.detail);
    case 'refused':
      return withCause(name, step.cause, step.detail);
  }
}

function tlsCheck({ tls, certificateDays }: DryRunObservations): Check {
  const endsSoon = tls.kind === 'ok' && certificateDays !== null && certificateDays <= SOON_DAYS;
  return endsSoon
    ? withCause('tls', 'tls_certificate_expires_soon', `${certificateDays} days left`)
    : stepCheck('tls', tls);
}

/** A prefix is a hint, not a verdict: it counts only if GitLab refused the token or could not be asked. */
function shapeCheck({ prefixKind, self }: DryRunObservations): Check {
  return prefixKind === null || self.kind === 'ok' ? ok('token_shape') : withCause('token_shape', prefixKind);
}

function aliveCheck({ prefixKind, self }: DryRunObservations): Check {
  return prefixKind !== null && self.kind === 'refused' && isWordAboutToken(self.cause)
    ? skipped('alive', 'this kind of token cannot call the API')
    : stepCheck('alive', self);
}

function isWordAboutToken(cause: DryRunCause): boolean {
  const { as } = DRY_RUN_CAUSES[cause];
  return as === 'token_rejected' || as === 'token_wrong_kind';
}

function tokenChecks(
  { token }: DryRunObservations,
  { wantsRotation, nowMs }: { wantsRotation: boolean; nowMs: number },
): Check[] {
  if (token === null) return [skipped('owner'), skipped('scopes'), skipped('expiry')];
  return [ownerCheck(token), scopesCheck(token, wantsRotation), expiryCheck(token, nowMs)];
}

function ownerCheck({ owner }: TokenFacts): Check {
  if (owner.kind === 'unknown') return withCause('owner', 'owner_unknown');
  const detail = `${owner.username} (${owner.kind})`;
  return owner.kind === 'user' ? withCause('owner', 'token_of_a_person', detail) : ok('owner', detail);
}

function scopesCheck(token: TokenFacts, wantsRotation: boolean): Check {
  if (token.granular) return ok('scopes', 'fine-grained: permissions show only when they are used');
  const detail = token.scopes.join(', ');
  if (!canList(token.scopes)) return withCause('scopes', 'scope_missing_list', detail);
  if (wantsRotation && token.mayRotate === false) return withCause('scopes', 'scope_missing_rotate', detail);
  const tooMuch = overpoweredScopes(token.scopes);
  if (tooMuch.length > 0)
    return withCause('scopes', 'token_overprivileged', `not needed: ${tooMuch.join(', ')}`);
  return ok('scopes', detail);
}

function expiryCheck({ expiry }: TokenFacts, nowMs: number): Check {
  if (expiry.kind === 'unknown') return withCause('expiry', 'expiry_unknown');
  if (expiry.kind === 'never') return ok('expiry', 'never');
  const days = daysLeft({ expiresAt: expiry.date, nowMs });
  const detail = `${expiry.date}, ${days} ${days === 1 ? 'day' : 'days'} left`;
  return days <= SOON_DAYS ? withCause('expiry', 'expires_soon', detail) : ok('expiry', detail);
}

function reachCheck({ reach, token }: DryRunObservations): Check {
  if (reach === null) return skipped('reach');
  const { projects, archived, memberships } = reach;
  const detail = `${reach.groups ?? 'many'} groups, ${projects ?? 'more than 10,000'} projects${archived === null || archived === 0 ? '' : `, ${archived} of them archived`}`;
  if (projects !== 0) return ok('reach', detail);
  if (memberships !== 0) return withCause('reach', 'role_too_low', detail);
  const isAccount = token?.owner.kind === 'service_account' || token?.owner.kind === 'bot';
  return withCause('reach', isAccount ? 'service_account_not_invited' : 'no_repositories', detail);
}

function rateLimitCheck({ rateLimit, gitlab }: DryRunObservations): Check {
  if (rateLimit === null)
    return gitlab.kind === 'ok' ? ok('rate_limit', 'none announced') : skipped('rate_limit');
  const { limit, remaining } = rateLimit;
  const detail = `${remaining} of ${limit} requests left`;
  return remaining < limit * LOW_SHARE
    ? withCause('rate_limit', 'rate_limit_low', detail)
    : ok('rate_limit', detail);
}
