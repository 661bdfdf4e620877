import type { InvalidCause, ReachabilityCause } from './causes.ts';
import type { Verdict } from './integration.ts';
import type { RotationFailure } from './rotation.ts';

/** What a user can request for an integration. The row is the request; its result is the answer to the waiting client. */
export const COMMAND_KINDS = ['verify', 'replace_token', 'rotate'] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

/** What each kind needs. `by` is the actor that requested it, as events name it: `user:<name>` or `key:<name>`. */
export interface CommandPayloads {
  verify: Record<never, never>;
  replace_token: { credentialId: string; acceptLoss: boolean; by?: string | undefined };
  /** `expiresAt` is `YYYY-MM-DD`; absent: the lifetime of the current token. */
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

/** Why the new token was refused; the old one stays in use. */
export type ReplacementRefusal = InvalidCause | ReachabilityCause | 'not_found' | 'internal';

/** Usernames; equal if the owner is the same. */
export interface OwnerChange {
  before: string | null;
  after: string | null;
}

/** A command to add to the queue of an integration. */
export type NewCommand =
  | { kind: 'verify' }
  | { kind: 'replace_token'; payload: CommandPayloads['replace_token'] }
  | { kind: 'rotate'; payload: CommandPayloads['rotate'] };

/** The result of a command, by its kind. */
export type CommandCompletion = {
  [Kind in CommandKind]: { kind: Kind; result: CommandResults[Kind] };
}[CommandKind];
