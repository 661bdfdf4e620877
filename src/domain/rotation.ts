import type { InvalidCause, ReachabilityCause } from './causes.ts';
import { INVALID_CAUSES, REACHABILITY_CAUSES } from './causes.ts';
import type { Verdict } from './integration.ts';
import type { Expiry } from './token-expiry.ts';
import { expiryMs } from './token-expiry.ts';

/**
 * Rules about rotating a token at GitLab: when it is allowed, when it is due, the lifetime of the new token, and the
 * text for a lost one. GitLab revokes the old token and creates the new one in one step, and shows the value of the new
 * one once (GitLab docs, "Personal access tokens API", "Rotate a personal access token").
 */
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The maximum of GitLab. */
export const MAX_LIFETIME_DAYS = 365;
/** In the last 48 hours only `force` and `autoRotate` rotate; `autoRotate` stops an hour before expiry. */
const LAST_48_HOURS_MS = 48 * HOUR_MS;
const MIN_REMAINING_MS = HOUR_MS;
/** Spreads the rotations of tokens that expire on the same day. */
const SPREAD_MS = 6 * HOUR_MS;

/** Why a token was not rotated. The first ones are known without a request to GitLab. */
export const ROTATION_BLOCKS = [
  'not_verified',
  'integration_invalid',
  'rotation_in_doubt',
  'token_scope_missing',
  'token_permission_unknown',
  'expiry_unknown',
  'token_expired',
  'expires_within_48_hours',
  // known only during the attempt
  'too_late',
  'rotation_busy',
  'shutting_down',
  'token_changed',
  'journal_not_writable',
  'database_not_writable',
  // GitLab refused
  'expiry_not_accepted',
  'gitlab_too_old',
  'gitlab_maintenance',
  'legacy_rotation_disabled',
  'rotation_refused',
] as const;
export type RotationBlock = (typeof ROTATION_BLOCKS)[number] | InvalidCause | ReachabilityCause;

/** Every outcome of an attempt that produced no new token. */
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
  /** Whether its scopes or permissions allow rotation; `null` if GitLab does not report it. */
  mayRotate: boolean | null;
  expiry: Expiry;
  /** The outcome of the last attempt is not known yet. */
  inDoubt: boolean;
}

/** Combines the rows of an integration and its credential. */
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

/** Why the token cannot be rotated now; `null` if it can. */
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

/** `asked`: a user requested it. `force`: also in the last 48 hours. `auto`: `autoRotate`, until the last hour. */
export type RotationTrigger = 'asked' | 'force' | 'auto';

/** As {@link rotationBlock}, for this trigger. */
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

/** Days from creation to expiry; GitLab's maximum if either is unknown. `createdAt` is ISO 8601. */
export function lifetimeDays(token: { createdAt: string | null; expiry: Expiry }): number {
  if (token.createdAt === null || token.expiry.kind !== 'on') return MAX_LIFETIME_DAYS;
  const days = Math.round((expiryMs(token.expiry.date) - startOfDay(Date.parse(token.createdAt))) / DAY_MS);
  return Math.max(1, Math.min(MAX_LIFETIME_DAYS, days));
}

/** The date in `days` days, in UTC: `YYYY-MM-DD`. */
export function dateInDays(nowMs: number, days: number): string {
  return new Date(startOfDay(nowMs) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The day before this date; `null` if that is before tomorrow, the earliest expiry that GitLab accepts. */
export function lastDateBefore(date: string, nowMs: number): string | null {
  const before = dateInDays(expiryMs(date), -1);
  return before >= dateInDays(nowMs, 1) ? before : null;
}

/** True for dates from tomorrow to 365 days from today. */
export function isPossibleExpiry(date: string, nowMs: number): boolean {
  return date >= dateInDays(nowMs, 1) && date <= dateInDays(nowMs, MAX_LIFETIME_DAYS);
}

/** The maximum of `daysBefore`: less than half of the lifetime. */
export function maxDaysBefore(lifetime: number): number {
  return Math.max(1, Math.ceil(lifetime / 2) - 1);
}

/**
 * When the next automatic rotation is due, in ms since 1970; `null` for a token without an expiry date or in its last
 * hour. `retryMs` is the earliest time after the previous attempt. `jitter` is 0–1.
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

/** When a failed automatic rotation is tried again: a sent request after a day, one that was not sent may be sooner. */
export function nextAutoTryMs(last: { atMs: number; code: string | null; sent: boolean }): number {
  if (last.sent) return last.atMs + DAY_MS;
  if (last.code === 'rotation_busy' || last.code === 'shutting_down') return last.atMs + 2 * 60_000;
  const isTemporary = REACHABILITY_CAUSES.some((cause) => cause === last.code);
  return last.atMs + (isTemporary ? HOUR_MS : DAY_MS);
}

export interface LostRotation {
  at: Date;
  baseUrl: string;
  tokenName: string | null;
  /** GitLab's ID of the new token, if that part of the answer arrived. */
  newTokenId: number | null;
  expiresAt: string;
}

/** The page of GitLab on which users manage their tokens. Source: GitLab docs, "Personal access tokens". */
export function tokenPageOf(baseUrl: string): string {
  return `${baseUrl}/-/user_settings/personal_access_tokens`;
}

/** What happened to a lost token and what to do. Names come from GitLab: escape them first. */
export function lostRotationText(lost: LostRotation): string {
  const at = `${lost.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const named = lost.tokenName === null ? 'of its name' : `"${lost.tokenName}"`;
  const id = lost.newTokenId === null ? '' : ` with the id ${lost.newTokenId}`;
  return [
    `At ${at} Secu asked GitLab to rotate the token, and the answer did not arrive; GitLab now refuses the old token.`,
    'Most likely GitLab created a new token whose value is lost; the old one may also have been revoked or have expired.',
    'Nothing was exposed. Syncs and scans wait.',
    `Open ${tokenPageOf(lost.baseUrl)} as the owner of the token, or the tokens page of its group, project or service account;`,
    `revoke the active token ${named}${id} created at ${at.slice(11)} that expires on ${lost.expiresAt}, create a new one and replace the token here.`,
  ].join(' ');
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
