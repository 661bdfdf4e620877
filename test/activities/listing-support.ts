import type { Info } from '@temporalio/activity';
import { fleetRecipes } from '../../simulator/index.ts';
import type { ListingOutcome } from '../../src/activities/sync/listing.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, rowOf, run } from './support.ts';

/** A world with activities and one active integration. */
export interface ListingStage {
  world: TestWorld;
  activities: Activities;
  added: Active;
  control: TestWorld['simulator']['control'];
}

/** Runs the work with a simulated GitLab of this many projects. */
export async function withListedProjects(
  count: number,
  work: (stage: ListingStage) => Promise<void>,
): Promise<void> {
  const world = await createTestWorld({ simulator: { recipes: fleetRecipes(count) } });
  try {
    const activities = await activitiesOf(world);
    const added = await active(world, activities);
    await work({ world, activities, added, control: world.simulator.control });
  } finally {
    await world.close();
  }
}

export interface Synced {
  syncId: string;
  listing: ListingOutcome;
  queued: number;
  heads: number;
}

/** Runs one sync with the steps of its workflow. */
export async function sync(
  activities: Activities,
  integrationId: string,
  options: { nowMs?: number; acceptRemovals?: boolean; info?: Partial<Info> } = {},
): Promise<Synced> {
  const { nowMs = Date.now(), acceptRemovals = false } = options;
  if (acceptRemovals) {
    const { stores } = activities.deps.database;
    await stores.syncs.open({ integrationId, trigger: 'manual', acceptRemovals, now: new Date(nowMs) });
  }
  const { syncId } = await activities.openSync({ integrationId, nowMs });
  if (syncId === null) throw new Error('nothing to sync');
  const id = { integrationId, syncId };
  const listing = await run(activities, 'listRepositories', { ...id, nowMs }, { info: options.info ?? {} });
  return { syncId, listing, ...(await applyAndFinish(activities, { ...id, listing, nowMs })) };
}

/** The steps after a listing. */
export async function applyAndFinish(
  activities: Activities,
  input: { integrationId: string; syncId: string; listing: ListingOutcome; nowMs: number },
): Promise<{ queued: number; heads: number }> {
  const { queued } = await activities.applyListing(input);
  const heads = input.listing.complete ? await run(activities, 'checkHeads', input) : { queued: 0 };
  await activities.finishSync({ ...input, queuedScans: queued + heads.queued });
  return { queued, heads: heads.queued };
}

export interface RepositoryRow {
  id: string;
  project: number;
  path: string;
  state: string;
  because: string | null;
  /** A value that changes with every write of the row. */
  version: string;
}

export async function repositoriesOf(world: TestWorld, integrationId: string): Promise<RepositoryRow[]> {
  return world.db.query<RepositoryRow & Record<string, unknown>>(
    `select id, gitlab_project_id::int as project, full_path as path, state, excluded_because as because,
       xmin::text || ctid::text as version
     from repository where integration_id = $1 order by gitlab_project_id`,
    [integrationId],
  );
}

export async function syncRow(world: TestWorld, { syncId }: Synced): Promise<Record<string, unknown>> {
  return rowOf(world, 'sync_run', syncId);
}

/** Marks all open scans as succeeded and all repositories as scanned at these heads. */
export async function pretendScanned(
  world: TestWorld,
  integrationId: string,
  options: { rules?: string; headOf?: (path: string) => Promise<string | null>; now?: Date } = {},
): Promise<void> {
  const now = options.now ?? new Date();
  await world.db.query(
    `update scan set status = 'succeeded', finished_at = $2 where integration_id = $1 and status in ('queued', 'running')`,
    [integrationId, now],
  );
  for (const { id, path } of await repositoriesOf(world, integrationId)) {
    await world.db.query(
      `update repository set checked_at = $2, scanned_at = $2, head_commit = $3, scanned_rules = $4 where id = $1`,
      [id, now, (await options.headOf?.(path)) ?? null, options.rules ?? world.scanners.rules],
    );
  }
}
