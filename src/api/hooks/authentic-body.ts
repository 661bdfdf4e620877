import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import type { SealedHookToken } from '../../db/stores/hooks.ts';
import { SecuError } from '../../domain/errors.ts';
import { hookTokenSealContext } from '../../domain/hook.ts';
import { Secret } from '../../domain/secret.ts';
import { createSignatureCheck, isHookToken } from '../../vault/hook-token.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';

/** GitLab sends at most this much. */
const MAX_BODY_BYTES = 25 * 1_048_576;
/** A larger body is read to its end, and not held. */
const MAX_HELD_BYTES = 1_048_576;
/** The difference between two clocks that a signature allows. @see Standard Webhooks 1.0 */
const MAX_AGE_MS = 5 * 60_000;

export type TokenOf = (integrationId: string) => Promise<Secret>;

/** Opens the hook token of an integration. Unknown ones get a token that nobody knows, at the same cost. */
export function createTokenReader({ database, vault }: Pick<ApiDeps, 'database' | 'vault'>): TokenOf {
  const decoyOf = { integrationId: 'none', version: 1 };
  let decoy: SealedHookToken | null = null;
  const sealDecoy = (): SealedHookToken => {
    const secret = new Secret(`whsec_${randomBytes(32).toString('base64')}`);
    return { ...vault.seal({ context: hookTokenSealContext(decoyOf), secret }), version: 1 };
  };
  return async (integrationId) => {
    decoy ??= sealDecoy();
    const stored = await database.stores.hooks.token(integrationId);
    const { version, ...sealed } = stored ?? decoy;
    const context = hookTokenSealContext(stored === null ? decoyOf : { integrationId, version });
    return vault.unseal({ context, sealed });
  };
}

/**
 * Reads the body if it comes with the hook token, or is signed with it.
 * @returns its text, `null` if it is too large to be held; or `refused`
 * @throws SecuError `payload_too_large`
 */
export async function readAuthenticBody(
  c: Context<ApiEnv>,
  token: Secret,
  now: Date,
): Promise<{ refused: true } | { refused: false; text: string | null }> {
  const refused = { refused: true } as const;
  if (isHookToken({ token, given: c.req.header('X-Gitlab-Token') ?? '' }))
    return { refused: false, text: await readBody(c, () => {}) };
  const signatures = c.req.header('webhook-signature');
  const timestamp = c.req.header('webhook-timestamp') ?? '';
  if (signatures === undefined || !isRecent(timestamp, now)) return refused;
  const check = createSignatureCheck({ token, id: c.req.header('webhook-id') ?? '', timestamp });
  const text = await readBody(c, (chunk) => check.update(chunk));
  return check.matchesAny(signatures) ? { refused: false, text } : refused;
}

function isRecent(timestamp: string, now: Date): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) * 1_000 - now.getTime()) <= MAX_AGE_MS;
}

async function readBody(c: Context<ApiEnv>, onChunk: (chunk: Uint8Array) => void): Promise<string | null> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      // the rest of the body is not read, so nothing can follow it on this connection
      c.header('Connection', 'close');
      throw new SecuError('payload_too_large', 'the body is larger than 25 MiB');
    }
    onChunk(chunk);
    if (bytes <= MAX_HELD_BYTES) held.push(chunk);
    else held.length = 0;
  }
  return bytes > MAX_HELD_BYTES ? null : Buffer.concat(held).toString('utf8');
}
