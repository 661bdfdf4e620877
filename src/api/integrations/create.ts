import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { newId } from '../../db/new-id.ts';
import { SecuError } from '../../domain/errors.ts';
import { DEFAULT_FILTERS, integrationNameFrom } from '../../domain/integration.ts';
import { awaitCommand, wake } from '../commands.ts';
import type { ApiDeps, Principal, RequestOrigin } from '../deps.ts';
import { actorOf } from '../middleware/authenticate.ts';
import type { z } from '../shared.ts';
import { assertMayRotateItself } from './rotate.ts';
import type { NewIntegration } from './schemas.ts';

const FIRST_VERDICT_MS = 10_000;

/**
 * Seals the token and stores everything in one transaction, then waits up to 10 s for the first verdict. Nothing stored
 * is lost when Temporal or GitLab are unavailable.
 * @returns the new id
 * @throws SecuError `origin_not_allowed` | `token_in_use` | `name_taken` | `rotation_not_possible`
 */
export async function createIntegration(
  input: RequestOrigin & { deps: ApiDeps; body: z.infer<typeof NewIntegration> },
): Promise<string> {
  const { deps, body } = input;
  const baseUrl = body.baseUrl ?? deps.settings.defaultBaseUrl;
  checkOrigin({ deps, principal: input.principal, baseUrl });
  if (body.autoRotate?.enabled === true) await assertTokenCanRotate(input, { baseUrl });
  const stored = await storeUniquely(() => storeIntegration({ ...input, baseUrl }));
  const { sent } = await wake(deps, [stored.wake]);
  if (sent > 0)
    await awaitCommand({ ...deps, kind: 'verify', commandId: stored.commandId, timeoutMs: FIRST_VERDICT_MS });
  return stored.id;
}

/** Tests whether the token can rotate before `autoRotate` is enabled. When GitLab does not answer, verification decides later. */
async function assertTokenCanRotate(
  { deps, principal, body }: Parameters<typeof createIntegration>[0],
  { baseUrl }: { baseUrl: string },
): Promise<void> {
  if (principal.role !== 'admin') throw new SecuError('forbidden', 'autoRotate requires the role admin');
  deps.hashToken(body.token); // registers the token with the log scrubber
  const { token } = await deps.probe.probe({ baseUrl, token: body.token });
  if (token === null) return;
  const { mayRotate, expiry, createdAt } = token;
  assertMayRotateItself({
    token: { verdict: 'active', cause: null, inDoubt: false, mayRotate, expiry },
    createdAt,
    daysBefore: body.autoRotate?.daysBefore ?? 0,
    nowMs: deps.now().getTime(),
  });
}

async function storeIntegration({
  deps,
  principal,
  requestId,
  body,
  baseUrl,
}: RequestOrigin & { deps: ApiDeps; body: z.infer<typeof NewIntegration>; baseUrl: string }) {
  const now = deps.now();
  const id = newId('integration');
  const credentialId = newId('credential');
  const tokenHash = deps.hashToken(body.token);
  const sealed = deps.vault.seal({
    context: { table: 'credential', rowId: credentialId, version: 1 },
    secret: body.token,
  });
  return deps.database.transaction(async (tx) => {
    const holder = await tx.credentials.integrationHolding(tokenHash);
    if (holder !== null) throw tokenInUse(holder);
    const takenNames = await tx.integrations.takenNames();
    if (body.name !== undefined && takenNames.has(body.name.toLowerCase())) throw nameTaken(body.name);
    const name = body.name ?? integrationNameFrom({ baseUrl, taken: takenNames });
    await tx.integrations.create({
      id,
      name,
      baseUrl,
      filters: body.filters ?? DEFAULT_FILTERS,
      history: body.history,
      branches: body.branches,
      autoRotate: body.autoRotate ?? { enabled: false, daysBefore: 14 },
      now,
    });
    await tx.credentials.add({
      id: credentialId,
      integrationId: id,
      version: 1,
      state: 'current',
      sealed: sealed.record,
      keyId: sealed.keyId,
      tokenHash,
      now,
    });
    const commandId = await tx.commands.add({ integrationId: id, kind: 'verify', requestId, now });
    const text = `${name} was created for ${baseUrl}.`;
    await tx.events.add(
      [
        {
          kind: 'integration.created',
          integrationId: id,
          actor: actorOf(principal),
          text,
          data: { requestId },
        },
      ],
      now,
    );
    const wake = await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now });
    return { id, commandId, wake };
  });
}

const MAX_RACE_TRIES = 3;

/** Retries twice when a concurrent request took the same name or token, so that the caller gets a clear error. */
export async function storeUniquely<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (err) {
      if (!(err instanceof UniqueConstraintViolationException) && !isUniqueViolation(err)) throw err;
      if (tries === MAX_RACE_TRIES)
        throw new SecuError('name_taken', 'the name or token was taken by another request; try again');
    }
  }
}

function isUniqueViolation(err: unknown): boolean {
  return typeof err === 'object' && err !== null && 'code' in err && err.code === '23505';
}

export function tokenInUse(integrationId: string): SecuError {
  return new SecuError('token_in_use', `this token is already integrated as ${integrationId}`, {
    details: { integrationId },
  });
}

export function nameTaken(name: string): SecuError {
  return new SecuError(
    'name_taken',
    `another integration has the name "${name}"; names are compared case-insensitively`,
  );
}

/** Adds the settings that would allow an origin to the error, for administrators. */
function checkOrigin({
  deps,
  principal,
  baseUrl,
}: {
  deps: ApiDeps;
  principal: Principal;
  baseUrl: string;
}): void {
  try {
    deps.checkOrigin(baseUrl);
  } catch (err) {
    if (!(err instanceof SecuError) || err.code !== 'origin_not_allowed') throw err;
    if (principal.role !== 'admin')
      throw new SecuError('origin_not_allowed', 'this GitLab address is not allowed; ask an administrator');
    throw new SecuError(
      'origin_not_allowed',
      `${baseUrl} is not in SECU_GITLAB_ORIGINS. To allow it, set SECU_GITLAB_ORIGINS=…,${baseUrl} (and SECU_ALLOWED_NETWORKS=<CIDR> if it has a private address) and restart.`,
      { details: { settings: [`SECU_GITLAB_ORIGINS=${baseUrl}`] } },
    );
  }
}
