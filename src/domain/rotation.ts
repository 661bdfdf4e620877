import type { InvalidCause, ReachabilityCause } from './causes.ts';
import { INVALID_CAUSES, REACHABILITY_CAUSES } from './causes.ts';
import type { Verdict } from './integration.ts';
import type { Expiry } from './token-expiry.ts';
import { expiryMs } from './token-expiry.ts';

/**
 * Rules about rotating a token at GitLab: when it may be, when it is due, for how long the new one lives, and what is
 * said when the new one was lost. GitLab ends the old token and makes the new one in the same moment, and shows its
 * value once (GitLab docs, "Personal access tokens API", "Rotate a personal access token").
 */
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** GitLab's own maximum. */
export const MAX_LIFETIME_DAYS = 365;
/** So near to death only a person's word or `autoRotate` rotates, and the latter no later than an hour before. */
const LAST_48_HOURS_MS = 48 * HOUR_MS;
const MIN_REMAINING_MS = HOUR_MS;
/** Integrations whose tokens die on one day do not rotate in one moment. */
const SPREAD_MS = 6 * HOUR_MS;

/** Why nothing was rotated. The first ones are known before GitLab is asked. */
export const ROTATION_BLOCKS = [
  'not_verified',
  'integration_invalid',
  'rotation_in_doubt',
  'token_scope_missing',
  'token_permission_unknown',
  'expiry_unknown',
  'token_expired',
  'expires_within_48_hours',
  // found out when it was tried
  'too_late',
  'rotation_busy',
  'shutting_down',
  'token_changed',
  'journal_not_writable',
  'database_not_writable',
  // GitLab's word: nothing was rotated
  'expiry_not_accepted',
  'gitlab_too_old',
  'gitlab_maintenance',
  'legacy_rotation_disabled',
  'rotation_refused',
] as const;
export type RotationBlock = (typeof ROTATION_BLOCKS)[number] | InvalidCause | ReachabilityCause;

/** Every outcome of an attempt that did not bring a new token. */
export const ROTATION_FAILURES = [
  ...ROTATION_BLOCKS,
  ...INVALID_CAUSES,
  ...REACHABILITY_CAUSES,
  'not_rotated',
  'not_found',
  'internal',
] as const;
export type RotationFailure = (typeof ROTATION_FAILURES)[number];

export interface RotatableToken {
  verdict: Verdict;
  cause: InvalidCause | null;
  /** Whether its scopes or permissions allow it; `null` where GitLab does not tell. */
  mayRotate: boolean | null;
  expiry: Expiry;
  /** An attempt is open whose outcome is not known yet. */
  inDoubt: boolean;
}

/** A row of an integration and one of its credential, as far as rotation is concerned. */
export function rotatableOf(input: {
  integration: { verdict: Verdict; cause: InvalidCause | null };
  credential: { mayRotate: boolean | null; expiry: Expiry };
  inDoubt: boolean;
}): RotatableToken {
  const { integration, credential, inDoubt } = input;
  return {
    verdict: integration.verdict,
    cause: integration.cause,
    mayRotate: credential.mayRotate,
    expiry: credential.expiry,
    inDoubt,
  };
}

/** Why the token cannot be rotated now, or `null` when it can. */
export function rotationBlock(token: RotatableToken, nowMs: number): RotationBlock | null {
  if (token.inDoubt) return 'rotation_in_doubt';
  if (token.verdict === 'pending') return 'not_verified';
  if (token.verdict === 'invalid') return token.cause ?? 'integration_invalid';
  if (token.mayRotate === false) return 'token_scope_missing';
  if (token.mayRotate === null) return 'token_permission_unknown';
  if (token.expiry.kind === 'unknown') return 'expiry_unknown';
  if (token.expiry.kind === 'never') return null;
  const leftMs = expiryMs(token.expiry.date) - nowMs;
  if (leftMs <= 0) return 'token_expired';
  return leftMs <= LAST_48_HOURS_MS ? 'expires_within_48_hours' : null;
}

/** `force`: a person insists. `auto`: it rotates by itself. Both pass the last 48 hours, the latter not the last one. */
export type RotationTrigger = 'asked' | 'force' | 'auto';

/** As {@link rotationBlock}, for one who wants it in this way. */
export function blockFor(
  trigger: RotationTrigger,
  token: RotatableToken,
  nowMs: number,
): RotationBlock | null {
  const block = rotationBlock(token, nowMs);
  if (block !== 'expires_within_48_hours' || trigger === 'asked') return block;
  if (trigger === 'force' || token.expiry.kind !== 'on') return null;
  return expiryMs(token.expiry.date) - nowMs < MIN_REMAINING_MS ? 'too_late' : null;
}

/** Days from a token's creation to its expiry. `createdAt` is ISO; unknown = as long as GitLab allows. */
export function lifetimeDays(token: { createdAt: string | null; expiry: Expiry }): number {
  if (token.createdAt === null || token.expiry.kind !== 'on') return MAX_LIFETIME_DAYS;
  const days = Math.round((expiryMs(token.expiry.date) - startOfDay(Date.parse(token.createdAt))) / DAY_MS);
  return Math.max(1, Math.min(MAX_LIFETIME_DAYS, days));
}

/** `YYYY-MM-DD` so many days after today, in UTC. */
export function dateInDays(nowMs: number, days: number): string {
  return new Date(startOfDay(nowMs) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The day before this one, where a token may still end there: tomorrow at the earliest, else `null`. */
export function lastDateBefore(date: string, nowMs: number): string | null {
  const before = dateInDays(expiryMs(date), -1);
  return before >= dateInDays(nowMs, 1) ? before : null;
}

/** From tomorrow to 365 days from today. */
export function isPossibleExpiry(date: string, nowMs: number): boolean {
  return date >= dateInDays(nowMs, 1) && date <= dateInDays(nowMs, MAX_LIFETIME_DAYS);
}

/** Rotating every other day of a token's life is the most that makes sense. */
export function maxDaysBefore(life: number): number {
  return Math.max(1, Math.ceil(life / 2) - 1);
}

/**
 * When it is next due to rotate by itself, in ms since 1970, or `null` when it never is: a never-ending token, or its
 * last hour. `retryMs` is the earliest moment after the attempt before. `jitter` is 0–1.
 */
export function autoRotateMs(input: {
  expiry: Expiry;
  createdAt: string | null;
  daysBefore: number;
  retryMs: number | null;
  jitter: number;
  nowMs: number;
}): number | null {
  const { expiry, createdAt } = input;
  if (expiry.kind !== 'on') return null;
  const expiresAtMs = expiryMs(expiry.date);
  const days = Math.min(input.daysBefore, maxDaysBefore(lifetimeDays({ createdAt, expiry })));
  const planned = expiresAtMs - days * DAY_MS + Math.round(SPREAD_MS * input.jitter);
  const atMs = Math.max(planned, input.retryMs ?? 0);
  return atMs > expiresAtMs - MIN_REMAINING_MS || input.nowMs > expiresAtMs - MIN_REMAINING_MS ? null : atMs;
}

/** Of the attempt that came to nothing: GitLab is asked daily at most; what was not sent may be tried sooner. */
export function nextAutoTryMs(last: { atMs: number; code: string | null; sent: boolean }): number {
  if (last.sent) return last.atMs + DAY_MS;
  if (last.code === 'rotation_busy' || last.code === 'shutting_down') return last.atMs + 2 * 60_000;
  const mayPass = REACHABILITY_CAUSES.some((cause) => cause === last.code);
  return last.atMs + (mayPass ? HOUR_MS : DAY_MS);
}

export interface LostRotation {
  at: Date;
  baseUrl: string;
  tokenName: string | null;
  /** GitLab's id of the new token, where as much of its answer arrived. */
  newTokenId: number | null;
  expiresAt: string;
}

/** Where GitLab shows a person their tokens. Source: GitLab docs, "Personal access tokens". */
export function tokenPageOf(baseUrl: string): string {
  return `${baseUrl}/-/user_settings/personal_access_tokens`;
}

/** What a person has to know and do when the new token was lost. Names are foreign: escape before showing. */
export function lostRotationText(lost: LostRotation): string {
  const at = `${lost.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const named = lost.tokenName === null ? 'of its name' : `"${lost.tokenName}"`;
  const id = lost.newTokenId === null ? '' : ` with the id ${lost.newTokenId}`;
  return [
    `At ${at} GitLab was asked to rotate the token, and its answer did not arrive; the old token is refused now.`,
    'Most likely GitLab created a new token whose value is lost; the old one may also have been revoked or have expired.',
    'Nothing was exposed. Syncs and scans wait.',
    `Open ${tokenPageOf(lost.baseUrl)} as the owner of the token, or the tokens page of its group, project or service account;`,
    `revoke the active token ${named}${id} created at ${at.slice(11)} that expires on ${lost.expiresAt}, make a new one and replace the token here.`,
  ].join(' ');
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
