import { awaitUntil } from '../../../harness/await-until.ts';
import { defaultRecipes } from '../../../simulator/index.ts';
import { openToken } from '../../../src/activities/token/credential.ts';
import { newId } from '../../../src/db/new-id.ts';
import { sendWakes } from '../../../src/db/wakes.ts';
import type { NewCommand } from '../../../src/domain/command.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { ensureReconcileSchedule } from '../../../src/temporal/starters.ts';
import { keyedHash } from '../../../src/vault/vault.ts';
import {
  fleetWorkflowId,
  integrationWorkflowId,
  reconcileWorkflowId,
  scanWorkflowId,
  syncWorkflowId,
} from '../../../src/workflows/contract.ts';
import { addIntegration } from '../../support/integration.ts';
import { startWorkers } from '../../support/workers.ts';
import type { TestWorld } from '../../support/world.ts';
import { createTestWorld } from '../../support/world.ts';
import type { History } from './histories.ts';
import { realGit, realScanners } from './real-tools.ts';

/** A run of one workflow. The last part of its ID is the position of the run in the chain. */
export interface Recorded {
  type: string;
  workflowId: string;
  history: History;
}

const REPOSITORIES = 6;

/** What happened, and the texts that no history may contain. */
export interface Story {
  recorded: Recorded[];
  private: string[];
}

/**
 * Runs one integration from its creation to its removal with the real activities, git and gitleaks: listing, scans,
 * verification, a replaced and a rotated token, a push, a failing scan and a lost rotation; and one run of reconcile.
 */
export async function liveStory(options: { maxCachedWorkflows?: number } = {}): Promise<Story> {
  const recipes = defaultRecipes()
    .filter(
      ({ expect }) => expect.listed && expect.clone === undefined && expect.excludedBecause === undefined,
    )
    .slice(0, REPOSITORIES);
  const world = await createTestWorld({ simulator: { recipes }, git: realGit, scanners: realScanners });
  try {
    await startWorkers(world, options);
    return await runStory(world);
  } catch (err) {
    const warnings = world.logged.filter((line) => /"level":"(warn|error)"/.test(line));
    const states = await world.db.query('select status, cause, attempt, phase from scan');
    throw new Error(`${String(err)}\n${JSON.stringify(states)}\n${warnings.join('')}`, { cause: err });
  } finally {
    await world.close();
  }
}

async function runStory(world: TestWorld): Promise<Story> {
  const { control } = world.simulator;
  const first = control.createToken({ scopes: ['read_api', 'read_repository'] });
  const { integrationId } = await addIntegration(world, { token: first.token });
  const scansDone = (status: string, count: number) =>
    awaitUntil(
      async () =>
        Number(await value(world, `select count(*)::int from scan where status = '${status}'`)) >= count,
      { what: `${count} scans ${status}`, timeoutMs: 60_000 },
    );
  await scansDone('succeeded', REPOSITORIES);

  await command(world, integrationId, { kind: 'verify' });
  const second = control.createToken({ scopes: ['read_api', 'read_repository', 'self_rotate'] });
  const credentialId = await addCandidate(world, integrationId, second.token);
  await command(world, integrationId, {
    kind: 'replace_token',
    payload: { credentialId, acceptLoss: false },
  });
  await command(world, integrationId, { kind: 'rotate', payload: { force: false } });
  const rotated = await world.database.stores.credentials.current(integrationId);
  if (rotated === null || rotated.gitlabTokenId === second.id) throw new Error('the token was not rotated');
  const third = openToken({ vault: world.vault, credential: rotated }).reveal();

  const [pushed, gone] = await world.db.query<{ id: string; full_path: string }>(
    'select id, full_path from repository order by id',
  );
  if (pushed === undefined || gone === undefined) throw new Error('nothing was listed');
  await control.pushCommit({ project: pushed.full_path, files: { 'new.txt': 'new\n' } });
  await syncNow(world, integrationId);
  await scansDone('succeeded', REPOSITORIES + 1);

  control.removeProject(gone.full_path);
  await scanNow(world, { integrationId, repositoryId: gone.id });
  await scansDone('failed', 1);

  const path = /self\/rotate$/;
  control.faults.add({ match: { path }, answer: { kind: 'lost_reply' } });
  await command(world, integrationId, { kind: 'rotate', payload: { force: false } });
  await command(world, integrationId, { kind: 'verify' });
  await ensureReconcileSchedule({ client: world.temporal.client, queuePrefix: world.queuePrefix });
  const reconcileId = await awaitUntil(() => completedReconcileId(world));
  await world.temporal.client.schedule.getHandle(reconcileWorkflowId(world.queuePrefix)).delete();

  const repositoryIds = await world.db.query<{ id: string }>('select id from repository');
  const names = await world.db.query<{ name: string }>(
    'select name from integration union select full_path from repository',
  );
  await remove(world, integrationId);
  return {
    recorded: await record(world, [
      integrationWorkflowId(integrationId),
      syncWorkflowId(integrationId),
      fleetWorkflowId(integrationId),
      ...repositoryIds.map(({ id }) => scanWorkflowId(id)),
      reconcileId,
    ]),
    private: [first.token, second.token, third, world.simulator.url, ...names.map(({ name }) => name)],
  };
}

async function value(world: TestWorld, text: string): Promise<unknown> {
  const [row] = await world.db.query(text);
  return Object.values(row ?? {})[0];
}

/** Adds a command like the API, and waits for its end. */
async function command(world: TestWorld, integrationId: string, request: NewCommand): Promise<void> {
  const now = new Date();
  const { id, wake } = await world.database.transaction(async (tx) => ({
    id: await tx.commands.add({ integrationId, ...request, now }),
    wake: await tx.outbox.add({ kind: 'wake_integration', integrationId, now }),
  }));
  await sendWakes(world, [wake]);
  await awaitUntil(
    async () => (await world.database.stores.commands.find({ id, kind: request.kind }))?.state === 'done',
    {
      what: `the command ${request.kind}`,
    },
  );
}

export async function addCandidate(world: TestWorld, integrationId: string, token: string): Promise<string> {
  const secret = new Secret(token);
  const id = newId('credential');
  const version = await world.database.stores.credentials.nextVersion(integrationId);
  const { record: sealed, keyId } = world.vault.seal({
    context: { table: 'credential', rowId: id, version },
    secret,
  });
  const tokenHash = keyedHash({ dataKey: world.dataKeys.token, purpose: 'token', text: secret });
  await world.database.stores.credentials.add({
    id,
    integrationId,
    version,
    state: 'candidate',
    sealed,
    keyId,
    tokenHash,
    now: new Date(),
  });
  return id;
}

async function syncNow(world: TestWorld, integrationId: string): Promise<void> {
  const now = new Date();
  const wake = await world.database.transaction(async (tx) => {
    await tx.syncs.open({ integrationId, trigger: 'manual', now });
    return tx.outbox.add({ kind: 'wake_integration', integrationId, now });
  });
  await sendWakes(world, [wake]);
}

async function scanNow(
  world: TestWorld,
  { integrationId, repositoryId }: { integrationId: string; repositoryId: string },
): Promise<void> {
  const now = new Date();
  const wake = await world.database.transaction(async (tx) => {
    await tx.scans.requestScan({ repositoryId, full: false, now });
    return tx.outbox.add({ kind: 'wake_fleet', integrationId, now });
  });
  await sendWakes(world, [wake]);
}

async function remove(world: TestWorld, integrationId: string): Promise<void> {
  const now = new Date();
  const wake = await world.database.transaction(async (tx) => {
    await tx.integrations.remove({ id: integrationId, now });
    await tx.credentials.wipeAll({ integrationId, now });
    return tx.outbox.add({ kind: 'wake_integration', integrationId, now });
  });
  await sendWakes(world, [wake]);
  await awaitUntil(async () => (await world.database.stores.integrations.findAny(integrationId)) === null);
  await world.temporal.client.workflow.getHandle(integrationWorkflowId(integrationId)).result();
}

/** The Schedule adds the time to the IDs of the workflows that it starts. */
async function completedReconcileId(world: TestWorld): Promise<string | null> {
  const description = await world.temporal.client.schedule
    .getHandle(reconcileWorkflowId(world.queuePrefix))
    .describe();
  const action = description.info.recentActions.at(-1)?.action;
  if (action?.type !== 'startWorkflow') return null;
  const { workflowId } = action.workflow;
  const { status } = await world.temporal.client.workflow.getHandle(workflowId).describe();
  return status.name === 'COMPLETED' ? workflowId : null;
}

/** The histories of all runs of these workflows. */
async function record(world: TestWorld, workflowIds: readonly string[]): Promise<Recorded[]> {
  const { client } = world.temporal;
  const recorded: Recorded[] = [];
  for (const workflowId of workflowIds) {
    for await (const { runId, type } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      recorded.push({ type, workflowId, history });
    }
  }
  return recorded;
}
