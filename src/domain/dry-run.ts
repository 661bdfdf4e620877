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
  /** What was observed. */
  detail: string | null;
  advice: string | null;
}

export const DRY_RUN_VERDICTS = ['usable', 'unusable', 'unknown'] as const;

export interface DryRun {
  verdict: (typeof DRY_RUN_VERDICTS)[number];
  /** The cause that an integration would show. */
  cause: InvalidCause | ReachabilityCause | 'origin_not_allowed' | null;
  advice: string | null;
  token: TokenFacts | null;
  checks: Check[];
  reach: Reach | null;
}

/** What a token reaches, as GitLab counts it; `null` where it does not tell (above 10,000 projects). */
export interface Reach {
  groups: number | null;
  projects: number | null;
  /** Of those, the archived ones. */
  archived: number | null;
  /** Projects of which its owner is a member with any role. */
  memberships: number | null;
}

/** One step of a dry run: it worked, it was refused with this cause, or it was not tried. */
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
  /** Whole days until the certificate of the server expires. */
  certificateDays: number | null;
  gitlab: Step;
  prefixKind: WrongKindCause | null;
  self: Step;
  /** Known where `self` is ok, or where the token lives and may not read itself. */
  token: TokenFacts | null;
  list: Step;
  clone: Step;
  reach: Reach | null;
  rateLimit: { limit: number; remaining: number } | null;
}

export const NOT_TRIED: NotTried = { kind: 'not_tried', detail: null };

const SOON_DAYS = 14;
const LOW_SHARE = 0.1;

/** Checks and verdict over what was observed. Only a definite "no" makes a token unusable. */
export function dryRunOf(
  seen: DryRunObservations,
  { wantsRotation, nowMs }: { wantsRotation: boolean; nowMs: number },
): DryRun {
  const checks = [
    stepCheck('origin', seen.origin),
    stepCheck('dns', seen.dns),
    stepCheck('tcp', seen.tcp),
    tlsCheck(seen),
    stepCheck('gitlab', seen.gitlab),
    shapeCheck(seen),
    aliveCheck(seen),
    ...tokenChecks(seen, { wantsRotation, nowMs }),
    stepCheck('list', seen.list),
    stepCheck('clone', seen.clone),
    reachCheck(seen),
    rateLimitCheck(seen),
  ];
  const failed = checks.find((check) => check.status === 'failed');
  const cause = failed?.cause ?? null;
  const as = cause === null ? null : DRY_RUN_CAUSES[cause].as;
  const isDefinite = as === 'origin_not_allowed' || INVALID_CAUSES.some((known) => known === as);
  return {
    verdict: failed === undefined ? 'usable' : isDefinite ? 'unusable' : 'unknown',
    cause: as,
    advice: failed?.advice ?? null,
    token: seen.token,
    checks,
    reach: seen.reach,
  };
}

function ok(name: CheckName, detail: string | null = null): Check {
  return { name, status: 'ok', cause: null, detail, advice: null };
}

function skipped(name: CheckName, detail: string | null = null): Check {
  return { name, status: 'skipped', cause: null, detail, advice: null };
}

/** A cause without an integration's cause behind it is a warning wherever it shows. */
function told(name: CheckName, cause: DryRunCause, detail: string | null = null): Check {
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
      return told(name, step.cause, step.detail);
  }
}

function tlsCheck({ tls, certificateDays }: DryRunObservations): Check {
  const endsSoon = tls.kind === 'ok' && certificateDays !== null && certificateDays <= SOON_DAYS;
  return endsSoon
    ? told('tls', 'tls_certificate_expires_soon', `${certificateDays} days left`)
    : stepCheck('tls', tls);
}

/** A prefix is a hint, never a verdict: it counts once GitLab has refused the token, or could not be asked. */
function shapeCheck({ prefixKind, self }: DryRunObservations): Check {
  return prefixKind === null || self.kind === 'ok' ? ok('token_shape') : told('token_shape', prefixKind);
}

function aliveCheck({ prefixKind, self }: DryRunObservations): Check {
  return prefixKind !== null && self.kind === 'refused' && isWordAboutToken(self.cause)
    ? skipped('alive', 'its kind says enough')
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
  if (owner.kind === 'unknown') return told('owner', 'owner_unknown');
  const detail = `${owner.username} (${owner.kind})`;
  return owner.kind === 'user' ? told('owner', 'token_of_a_person', detail) : ok('owner', detail);
}

function scopesCheck(token: TokenFacts, wantsRotation: boolean): Check {
  if (token.granular) return ok('scopes', 'fine-grained: what it may do shows when it is tried');
  const detail = token.scopes.join(', ');
  if (!canList(token.scopes)) return told('scopes', 'scope_missing_list', detail);
  if (wantsRotation && token.mayRotate === false) return told('scopes', 'scope_missing_rotate', detail);
  const tooMuch = overpoweredScopes(token.scopes);
  if (tooMuch.length > 0) return told('scopes', 'token_overprivileged', `not needed: ${tooMuch.join(', ')}`);
  return ok('scopes', detail);
}

function expiryCheck({ expiresAt }: TokenFacts, nowMs: number): Check {
  if (expiresAt === undefined) return told('expiry', 'expiry_unknown');
  if (expiresAt === null) return ok('expiry', 'never');
  const days = daysLeft({ expiresAt, nowMs });
  const detail = `${expiresAt}, ${days} ${days === 1 ? 'day' : 'days'} left`;
  return days <= SOON_DAYS ? told('expiry', 'expires_soon', detail) : ok('expiry', detail);
}

function reachCheck({ reach, token }: DryRunObservations): Check {
  if (reach === null) return skipped('reach');
  const { projects, archived, memberships } = reach;
  const detail = `${reach.groups ?? 'many'} groups, ${projects ?? 'more than 10,000'} projects${archived === null || archived === 0 ? '' : `, ${archived} of them archived`}`;
  if (projects !== 0) return ok('reach', detail);
  if (memberships !== 0) return told('reach', 'role_too_low', detail);
  const isAccount = token?.owner.kind === 'service_account' || token?.owner.kind === 'bot';
  return told('reach', isAccount ? 'service_account_not_invited' : 'no_repositories', detail);
}

function rateLimitCheck({ rateLimit, gitlab }: DryRunObservations): Check {
  if (rateLimit === null)
    return gitlab.kind === 'ok' ? ok('rate_limit', 'none announced') : skipped('rate_limit');
  const { limit, remaining } = rateLimit;
  const detail = `${remaining} of ${limit} requests left`;
  return remaining < limit * LOW_SHARE
    ? told('rate_limit', 'rate_limit_low', detail)
    : ok('rate_limit', detail);
}
