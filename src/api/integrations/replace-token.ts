import { newId } from '../../db/new-id.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import type { ReplacementResult } from '../../domain/command.ts';
import { SecuError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import { awaitCommand, COMMAND_TIMEOUT_MS, wake } from '../commands.ts';
import { actorOf } from '../middleware/authenticate.ts';
import { found, integrationAuditEvent } from '../shared.ts';
import { storeUniquely, tokenInUse } from './create.ts';
import type { IntegrationRequest } from './integration-request.ts';

/**
 * Replaces the token, if the new one is valid.
 * @returns false on timeout; the replacement continues in the background
 * @throws SecuError `token_in_use` | `reach_shrinks` | the cause of an invalid token | `gitlab_*`
 */
export async function replaceToken(
  input: IntegrationRequest & { token: Secret; acceptLoss: boolean },
): Promise<boolean> {
  const { deps } = input;
  const tokenHash = deps.hashToken(input.token);
  const { commandId, wakes } = await storeUniquely(() => storeCandidate({ ...input, tokenHash }));
  const { sent } = await wake(deps, wakes);
  if (sent === 0) return false;
  const result = await awaitCommand({
    ...deps,
    kind: 'replace_token',
    commandId,
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
  if (result === null) return false;
  if (result.code === 'ok') return true;
  throw refusalError(result);
}

async function storeCandidate(
  input: IntegrationRequest & { token: Secret; tokenHash: string; acceptLoss: boolean },
): Promise<{ commandId: string; wakes: OutboxEntry[] }> {
  const { deps, principal, requestId, id, token, tokenHash, acceptLoss } = input;
  const now = deps.now();
  return deps.database.transaction(async (tx) => {
    const { name } = found(await tx.integrations.lock(id), 'integration');
    const holder = await tx.credentials.integrationHolding(tokenHash);
    if (holder !== null) throw tokenInUse(holder);
    const credentialId = newId('credential');
    const version = await tx.credentials.nextVersion(id);
    const sealed = deps.vault.seal({
      context: { table: 'credential', rowId: credentialId, version },
      secret: token,
    });
    await tx.credentials.add({
      id: credentialId,
      integrationId: id,
      version,
      state: 'candidate',
      sealed: sealed.record,
      keyId: sealed.keyId,
      tokenHash,
      now,
    });
    const text = `A new token for ${name} was sent.`;
    const data = { acceptLoss };
    await tx.events.add(
      [integrationAuditEvent(input, { kind: 'request.token_replacement', integrationId: id, text, data })],
      now,
    );
    const payload = { credentialId, acceptLoss, by: actorOf(principal) };
    const kind = 'replace_token';
    const commandId = await tx.commands.add({ integrationId: id, kind, payload, requestId, now });
    return { commandId, wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })] };
  });
}

function refusalError(result: Exclude<ReplacementResult, { code: 'ok' }>): SecuError {
  const { code } = result;
  if (code !== 'reach_shrinks')
    return new SecuError(code, `the new token was refused (${code}); the current one stays in use`);
  const { known, lost, owner } = result;
  return new SecuError(
    code,
    `the new token does not reach ${lost} of ${known} repositories; send acceptLoss to replace it anyway`,
    {
      details: { known, lost, owner },
    },
  );
}
