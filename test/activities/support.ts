import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { RotationDeps, ScanDeps } from '../../src/activities/deps.ts';
import { createIntegrationActivities } from '../../src/activities/integration.ts';
import { createReconcileActivities } from '../../src/activities/reconcile.ts';
import { createRotationActivities } from '../../src/activities/rotation/activities.ts';
import { createFleetActivities } from '../../src/activities/scan/fleet.ts';
import { createScanActivities } from '../../src/activities/scan/scan.ts';
import { createListingActivities } from '../../src/activities/sync/listing.ts';
import { createSyncActivities } from '../../src/activities/sync/sync.ts';
import { createVerifyActivities } from '../../src/activities/token/verify.ts';
import { newId } from '../../src/db/new-id.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { Filters } from '../../src/domain/integration.ts';
import type { Starters } from '../../src/domain/ports.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createGitlabClient } from '../../src/gitlab/client.ts';
import { createPacer } from '../../src/gitlab/pacer.ts';
import { keyedHash } from '../../src/vault/vault.ts';
import { addIntegration } from '../support/integration.ts';
import { depsOf, rotationDepsOf } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';

/** Starters that only record their calls. `away`: Temporal does not answer. */
export interface NotedStarters extends Starters {
  wakes: string[];
  /** All requested wakes, also those that failed. */
  tries: number;
  canceled: string[];
  open: Set<string>;
  stuck: Set<string>;
  terminated: string[];
  away: boolean;
}

export function notedStarters(): NotedStarters {
  const noted: NotedStarters = {
    wakes: [],
    tries: 0,
    canceled: [],
    open: new Set(),
    stuck: new Set(),
    terminated: [],
    away: false,
    wakeIntegration: async (id) => note(`integration ${id}`),
    wakeFleet: async (id) => note(`fleet ${id}`),
    cancelScan: async (id) => void noted.canceled.push(`scan ${id}`),
    cancelAll: async (id) => void noted.canceled.push(`all ${id}`),
    getWorkflowState: async (kind, id) => {
      if (noted.stuck.has(`${kind} ${id}`)) return 'stuck';
      return noted.open.has(`${kind} ${id}`) ? 'open' : 'closed';
    },
    terminate: async (kind, id) => {
      noted.terminated.push(`${kind} ${id}`);
      noted.stuck.delete(`${kind} ${id}`);
    },
    async *openIds(kind) {
      for (const name of [...noted.open, ...noted.stuck])
        if (name.startsWith(`${kind} `)) yield name.slice(kind.length + 1);
    },
  };
  const note = (wake: string) => {
    noted.tries += 1;
    if (noted.away) throw new SecuError('temporal_unavailable', 'the Temporal server does not answer');
    noted.wakes.push(wake);
  };
  return noted;
}

/** Every activity over this world, as its workers would run them; `own` replaces the dependencies under test. */
export async function activitiesOf(world: TestWorld, own: Partial<ScanDeps & RotationDeps> = {}) {
  const dataKey = world.dataKeys.fingerprint;
  const starters = notedStarters();
  const deps: ScanDeps = {
    ...depsOf(world),
    // with its own pacer, so that a rate limit of an earlier test does not delay it
    gitlab: createGitlabClient({
      policy: world.policy,
      pacer: createPacer({ perSecond: 1_000 }),
      userAgent: 'Secu/test',
    }),
    scanners: world.scanners,
    workFolder: await mkdtemp(join(world.folder, 'scans-')),
    hash: (text) => keyedHash({ dataKey, purpose: 'fingerprint', text }),
    starters,
    ...own,
  };
  const rotation = await rotationDepsOf(world, deps);
  return {
    deps,
    rotation,
    starters,
    ...createRotationActivities(rotation),
    ...createIntegrationActivities(deps),
    ...createSyncActivities(deps),
    ...createFleetActivities(deps),
    ...createReconcileActivities(deps),
    ...createVerifyActivities(deps),
    ...createListingActivities(deps),
    ...createScanActivities(deps),
  };
}

export type Activities = Awaited<ReturnType<typeof activitiesOf>>;

type Named = {
  [Name in keyof Activities as Activities[Name] extends (input: never) => Promise<unknown>
    ? Name
    : never]: Activities[Name];
};

/** Runs one activity as a worker would. `onHeartbeat` receives the details of each heartbeat. */
export function run<Name extends keyof Named>(
  activities: Activities,
  name: Name,
  input: Parameters<Named[Name]>[0],
  options: { info?: Partial<Info>; onHeartbeat?: (details: unknown) => void; cancel?: AbortSignal } = {},
): Promise<Awaited<ReturnType<Named[Name]>>> {
  const environment = new MockActivityEnvironment(
    { activityType: name, ...options.info },
    { logger: new DefaultLogger('ERROR') },
  );
  environment.on('heartbeat', (details: unknown) => options.onHeartbeat?.(details));
  options.cancel?.addEventListener('abort', () => environment.cancel());
  const activity = activities[name] as (
    input: Parameters<Named[Name]>[0],
  ) => Promise<Awaited<ReturnType<Named[Name]>>>;
  return environment.run(activity, input);
}

const SCOPES = ['read_api', 'read_repository'];

export interface Active {
  integrationId: string;
  credentialId: string;
  tokenId: number;
  userId: number;
  token: string;
}

/** An integration with a good token that was not verified yet. */
export async function pending(
  world: TestWorld,
  options: {
    filters?: Partial<Filters>;
    tokenKind?: 'personal' | 'deploy';
    expiresAt?: string | null;
    scopes?: string[];
  } = {},
): Promise<Active & { commandId: string }> {
  const { control } = world.simulator;
  const user = control.createUser();
  const { id, token } = control.createToken({
    scopes: options.scopes ?? SCOPES,
    userId: user.id,
    kind: options.tokenKind ?? 'personal',
    ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
  });
  const added = await addIntegration(world, {
    token,
    wake: false,
    ...(options.filters === undefined ? {} : { filters: options.filters }),
  });
  return { ...added, tokenId: id, userId: user.id, token };
}

/** The same, verified. */
export async function active(
  world: TestWorld,
  activities: Activities,
  options: Parameters<typeof pending>[1] = {},
): Promise<Active> {
  const { commandId, ...added } = await pending(world, options);
  const { integrationId } = added;
  const { status } = await run(activities, 'verifyToken', { integrationId, commandId, nowMs: Date.now() });
  if (status !== 'active') throw new Error(`the token of the test is ${status}`);
  return added;
}

/** A candidate for the current token, with the command that requests the replacement. */
export async function addReplacement(
  world: TestWorld,
  input: { integrationId: string; token: string; acceptLoss?: boolean },
): Promise<{ credentialId: string; commandId: string }> {
  const { integrationId, acceptLoss = false } = input;
  const { stores } = world.database;
  const secret = new Secret(input.token);
  const credentialId = newId('credential');
  const version = await stores.credentials.nextVersion(integrationId);
  const context = { table: 'credential', rowId: credentialId, version };
  const { record: sealed, keyId } = world.vault.seal({ context, secret });
  const now = new Date();
  await stores.credentials.add({
    id: credentialId,
    integrationId,
    version,
    state: 'candidate',
    sealed,
    keyId,
    tokenHash: keyedHash({ dataKey: world.dataKeys.token, purpose: 'token', text: secret }),
    now,
  });
  const commandId = await stores.commands.add({
    integrationId,
    kind: 'replace_token',
    payload: { credentialId, acceptLoss, by: 'key_test' },
    now,
  });
  return { credentialId, commandId };
}

export interface SeenEvent {
  kind: string;
  repositoryId: string | null;
  data: Record<string, unknown>;
}

/** The events of an integration, oldest first. */
export async function eventsOf(world: TestWorld, integrationId: string): Promise<SeenEvent[]> {
  return world.db.query<SeenEvent & Record<string, unknown>>(
    `select kind, repository_id as "repositoryId", data from event where integration_id = $1 order by seq`,
    [integrationId],
  );
}

export async function kindsOf(world: TestWorld, integrationId: string): Promise<string[]> {
  return (await eventsOf(world, integrationId)).map(({ kind }) => kind);
}

/** One row of a table, unchanged. */
export async function rowOf(
  world: TestWorld,
  table: 'integration' | 'credential' | 'command' | 'rotation' | 'scan' | 'sync_run' | 'repository',
  id: string,
): Promise<Record<string, unknown>> {
  const [row] = await world.db.query(`select * from ${table} where id = $1`, [id]);
  if (row === undefined) throw new Error(`no ${table} ${id}`);
  return row;
}
