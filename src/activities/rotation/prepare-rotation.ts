import { newId } from '../../db/new-id.ts';
import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { RotationBlock, RotationTrigger } from '../../domain/rotation.ts';
import { blockFor, dateInDays, isPossibleExpiry, lifetimeDays, rotatableOf } from '../../domain/rotation.ts';
import { Secret } from '../../domain/secret.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { RotationDeps } from '../deps.ts';
import { currentCredential, openToken } from '../token/credential.ts';
import { suspectToken } from '../token/suspect.ts';

/** One requested rotation, from a command or from the schedule. */
export interface RotationOrder {
  integrationId: string;
  /** `null`: an automatic rotation. */
  commandId: string | null;
  trigger: RotationTrigger;
  /** `YYYY-MM-DD`, if a person requested a date. */
  wantedExpiry: string | null;
  now: Date;
}

export interface PreparedRotation {
  integration: IntegrationRow;
  credential: CredentialRow;
  api: GitlabApi;
  /** `YYYY-MM-DD`, the expiry date to request from GitLab. */
  expiresOn: string;
}

/**
 * Step 1: checks everything that can prevent a rotation before GitLab is asked. @returns what the request needs,
 * or the reason
 */
export async function prepareRotation(
  deps: RotationDeps,
  order: RotationOrder,
): Promise<PreparedRotation | RotationBlock | 'not_found'> {
  const { integrationId, trigger, wantedExpiry, now } = order;
  const { database, vault } = deps;
  const nowMs = now.getTime();
  const found = await currentCredential(database.stores, integrationId);
  if (found === null) return 'not_found';
  const { integration, credential } = found;
  const inDoubt = (await database.stores.rotations.open(integrationId)) !== null;
  const stored = rotatableOf({ integration, credential, inDoubt });
  const known = blockFor(trigger, stored, nowMs);
  if (known !== null) return known;
  if (deps.isDraining()) return 'shutting_down';
  const token = openToken({ vault, credential });
  const api = deps.gitlab.forToken({ baseUrl: integration.baseUrl, token });
  const self = await api.observeSelf();
  if (self.kind === 'no_answer') return self.cause;
  if (self.kind === 'unauthorized') {
    await suspectToken({ deps, integrationId, now });
    return self.reason === 'unknown' ? 'token_rejected' : `token_${self.reason}`;
  }
  if (self.kind !== 'token') return 'token_permission_unknown';
  const { gitlabTokenId, mayRotate, expiry, createdAt } = self.token;
  if (credential.gitlabTokenId !== null && credential.gitlabTokenId !== gitlabTokenId) return 'token_changed';
  const observed = { ...stored, mayRotate, expiry: expiry.kind === 'unknown' ? stored.expiry : expiry };
  const block = blockFor(trigger, observed, nowMs);
  if (block !== null) return block;
  const expiresOn =
    wantedExpiry !== null && isPossibleExpiry(wantedExpiry, nowMs)
      ? wantedExpiry
      : dateInDays(nowMs, lifetimeDays({ createdAt, expiry }));
  const storageBlock = await checkStorage(deps, { integrationId, now });
  return storageBlock ?? { integration, credential, api, expiresOn };
}

/** Journal, vault and database must be able to store the answer before GitLab is asked. */
async function checkStorage(
  deps: RotationDeps,
  { integrationId, now }: { integrationId: string; now: Date },
): Promise<RotationBlock | null> {
  try {
    await deps.journal.assertWritable();
  } catch (err) {
    deps.log.error({ err }, 'the journal of rotations cannot be written');
    return 'journal_not_writable';
  }
  const id = newId('credential');
  const context = { table: 'credential', rowId: id, version: 0 };
  const sealed = deps.vault.seal({ context, secret: new Secret(id) });
  deps.vault.unseal({ context, sealed });
  const { record, keyId } = sealed;
  try {
    await deps.database.transaction(async (tx) => {
      const row = { id, integrationId, version: 0, sealed: record, keyId, tokenHash: id, now };
      await tx.credentials.add({ ...row, state: 'candidate' });
      throw new RollbackProbe();
    });
  } catch (err) {
    if (err instanceof RollbackProbe) return null;
    deps.log.error({ err }, 'a credential cannot be stored');
  }
  return 'database_not_writable';
}

/** Thrown to roll back the insert that probes the database. */
class RollbackProbe extends Error {}
