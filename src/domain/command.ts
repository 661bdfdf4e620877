import type { InvalidCause, ReachabilityCause } from './causes.ts';
import type { Verdict } from './integration.ts';
import type { RotationFailure } from './rotation.ts';

/** What a person can order for one integration. Its row is the order, its result the answer to the waiting request. */
export const COMMAND_KINDS = ['verify', 'replace_token', 'rotate'] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

/** What each kind needs. `by` is the actor that requested it, as events name it: `user:<name>` or `key:<name>`. */
export interface CommandPayloads {
  verify: Record<never, never>;
  replace_token: { credentialId: string; acceptLoss: boolean; by?: string | undefined };
  /** `expiresAt` is `YYYY-MM-DD`; absent: as long as the current token lives. */
  rotate: { force: boolean; expiresAt?: string | undefined; by?: string | undefined };
}

/** Codes and counts only. */
export interface CommandResults {
  verify: { verdict: Verdict | 'rotation_in_doubt' | 'internal' };
  replace_token: ReplacementResult;
  rotate: { code: 'ok' | 'in_doubt' | RotationFailure };
}

export type ReplacementResult =
  | { code: 'ok' }
  | { code: 'reach_shrinks'; known: number; lost: number; owner: OwnerChange }
  | { code: ReplacementRefusal };

/** Why the new token was not taken; the old one stays. */
export type ReplacementRefusal = InvalidCause | ReachabilityCause | 'not_found' | 'internal';

/** Usernames; equal where the owner stays. */
export interface OwnerChange {
  before: string | null;
  after: string | null;
}

/** An order to write into the queue of an integration. */
export type NewCommand =
  | { kind: 'verify' }
  | { kind: 'replace_token'; payload: CommandPayloads['replace_token'] }
  | { kind: 'rotate'; payload: CommandPayloads['rotate'] };

/** The end of an order, by its kind. */
export type CommandCompletion = {
  [Kind in CommandKind]: { kind: Kind; result: CommandResults[Kind] };
}[CommandKind];
