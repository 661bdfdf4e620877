import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import { SecuError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Vault } from '../../vault/vault.ts';

/** The token of a credential, for one call and no longer. @throws SecuError `secret_unreadable` | `key_unknown` */
export function openToken({ vault, credential }: { vault: Vault; credential: CredentialRow }): Secret {
  const { sealed, keyId } = credential;
  if (sealed === null || sealed === undefined || keyId === null || keyId === undefined) {
    throw new SecuError('secret_unreadable', 'the credential was wiped');
  }
  return vault.unseal({
    context: { table: 'credential', rowId: credential.id, version: credential.version },
    sealed: { keyId, record: Buffer.from(sealed) },
  });
}

/** An integration with its current credential, or `null` once it is removed. */
export async function currentCredential(
  stores: Stores,
  integrationId: string,
): Promise<{ integration: IntegrationRow; credential: CredentialRow } | null> {
  const integration = await stores.integrations.find(integrationId);
  if (integration === null) return null;
  const credential = await stores.credentials.current(integrationId);
  return credential === null ? null : { integration, credential };
}

/** Why a token was refused, where the codes say that it was the token and not one repository. */
const TOKEN_CODES = new Set([
  'token_expired',
  'token_revoked',
  'token_rejected',
  'token_wrong_kind',
  'account_blocked',
  'token_scope_missing',
]);

export function isTokenRefusal(err: unknown): boolean {
  return err instanceof SecuError && TOKEN_CODES.has(err.code);
}

const OUTAGE_CODES = new Set([
  'gitlab_unreachable',
  'gitlab_tls_failed',
  'gitlab_redirected',
  'gitlab_rate_limited',
  'gitlab_reply_unreadable',
  'not_gitlab',
]);

export function isOutage(err: unknown): boolean {
  return err instanceof SecuError && OUTAGE_CODES.has(err.code);
}
