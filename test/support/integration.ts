import { newId } from '../../src/db/new-id.ts';
import { sendWakes } from '../../src/db/wakes.ts';
import type { Filters } from '../../src/domain/integration.ts';
import { DEFAULT_FILTERS } from '../../src/domain/integration.ts';
import { Secret } from '../../src/domain/secret.ts';
import { keyedHash } from '../../src/vault/vault.ts';
import type { TestWorld } from './world.ts';

/** Creates an integration like `POST /integrations`, without the API. It is pending until a worker verifies it. */
export async function addIntegration(
  world: Pick<TestWorld, 'database' | 'vault' | 'dataKeys' | 'starters' | 'simulator'>,
  options: {
    token: string;
    name?: string;
    baseUrl?: string;
    filters?: Partial<Filters>;
    /** Default true; otherwise the wake stays in the outbox until the dispatcher sends it. */
    wake?: boolean;
    now?: Date;
  },
): Promise<{ integrationId: string; credentialId: string; commandId: string }> {
  const now = options.now ?? new Date();
  const integrationId = newId('integration');
  const credentialId = newId('credential');
  const secret = new Secret(options.token);
  const context = { table: 'credential', rowId: credentialId, version: 1 };
  const { record, keyId } = world.vault.seal({ context, secret });
  const tokenHash = keyedHash({ dataKey: world.dataKeys.token, purpose: 'token', text: secret });
  const { commandId, wake } = await world.database.transaction(async (tx) => {
    await tx.integrations.create({
      id: integrationId,
      name: options.name ?? `GitLab ${integrationId}`,
      baseUrl: options.baseUrl ?? world.simulator.url,
      filters: { ...DEFAULT_FILTERS, ...options.filters },
      autoRotate: { enabled: false, daysBefore: 14 },
      now,
    });
    await tx.credentials.add({
      id: credentialId,
      integrationId,
      version: 1,
      state: 'current',
      sealed: record,
      keyId,
      tokenHash,
      now,
    });
    return {
      commandId: await tx.commands.add({ integrationId, kind: 'verify', now }),
      wake: await tx.outbox.add({ kind: 'wake_integration', integrationId, now }),
    };
  });
  if (options.wake !== false) await sendWakes(world, [wake]);
  return { integrationId, credentialId, commandId };
}
