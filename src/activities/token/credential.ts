import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import { isReachabilityCause, isTokenRefusalCode } from '../../domain/causes.ts';
import { SecuError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Vault } from '../../vault/vault.ts';

/** Decrypts the token of a credential for one call. @throws SecuError `secret_unreadable` | `key_unknown` */
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

/** An integration with its current credential, or `null` if either is gone. */
export async function currentCredential(
  stores: Stores,
  integrationId: string,
): Promise<{ integration: IntegrationRow; credential: CredentialRow } | null> {
  const integration = await stores.integrations.find(integrationId);
  if (integration === null) return null;
  const credential = await stores.credentials.current(integrationId);
  return credential === null ? null : { integration, credential };
}

/** True for an error by which the token itself was refused. */
export function isTokenRefusal(err: unknown): boolean {
  return err instanceof SecuError && isTokenRefusalCode(err.code);
}

/** True for an error that says that GitLab as a whole did not answer properly. */
export function isOutage(err: unknown): boolean {
  return err instanceof SecuError && isReachabilityCause(err.code);
}
