import type { Database } from '../../db/database.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { NewEvent } from '../../domain/event.ts';
import { BRAKE_AGREEING_LISTINGS, brakeEngages, removesAtOnce } from '../../domain/repository.ts';
import type { Log } from '../../log/logger.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import type { ListingOutcome } from './listing.ts';

interface ApplyInput {
  database: Database;
  log: Log;
  rules: string;
  integrationId: string;
  syncId: string;
  listing: ListingOutcome;
  nowMs: number;
}

/**
 * Applies a listing to the rows that it did not name, and queues the scans that follow. Only a complete listing
 * may remove repositories, within the limits of the brake.
 */
export async function applyListing(input: ApplyInput): Promise<{ queued: number }> {
  const { database, integrationId, listing } = input;
  const now = new Date(input.nowMs);
  return database.transaction(async (tx) => {
    const integration = await tx.integrations.lock(integrationId);
    const run = await tx.syncs.find(input.syncId);
    if (integration === null || run === null || run.state !== 'running') return { queued: 0 };
    const { requestId = null } = run;
    addRequestIdToLog(input.log, requestId);
    // a delta says nothing about what it does not list
    if (listing.complete && run.activeSince == null)
      await applyVanished({ tx, integration, input, acceptRemovals: run.acceptRemovals, now });
    const trigger = integration.lastSyncAt === null ? 'created' : 'sync';
    const { rules } = input;
    return { queued: await tx.scans.queueNewAndOutdated({ integrationId, trigger, rules, requestId, now }) };
  });
}

interface VanishedInput {
  tx: Stores;
  integration: IntegrationRow;
  input: ApplyInput;
  acceptRemovals: boolean;
  now: Date;
}

async function applyVanished({ tx, integration, input, acceptRemovals, now }: VanishedInput): Promise<void> {
  const { listing, syncId } = input;
  const { known, vanished, fingerprint } = await tx.listing.vanished({
    integrationId: integration.id,
    syncId,
  });
  const visible = new Set(listing.visible);
  const fresh = vanished.filter((row) => row.state !== 'missing' && !visible.has(row.id));

  const listings =
    fingerprint !== null && integration.brakeHeld === fingerprint ? integration.brakeListings + 1 : 1;
  const held =
    brakeEngages({ known, vanished: fresh.length }) && !acceptRemovals && listings < BRAKE_AGREEING_LISTINGS;
  if (held) return engageBrake({ tx, integration, syncId, count: fresh.length, fingerprint, listings, now });

  await tx.integrations.changeLocked(integration.id, { brakeHeld: null, brakeListings: 0 }, now);
  const outOfReach = vanished.filter((row) => visible.has(row.id));
  const share = { known, vanished: fresh.length };
  const isConfirmed = acceptRemovals || listings >= BRAKE_AGREEING_LISTINGS;
  const gone = new Set(isConfirmed || removesAtOnce(share) ? listing.gone : []);
  // missing in a second complete listing, or GitLab answered 404
  const removed = vanished.filter(
    (row) => !visible.has(row.id) && (row.state === 'missing' || gone.has(row.id)),
  );
  const missing = fresh.filter((row) => !gone.has(row.id));
  await tx.listing.markAccessTooLow({ ids: outOfReach.map(({ id }) => id), now });
  await tx.listing.markMissing({ ids: missing.map(({ id }) => id), now });
  await tx.listing.markRemoved({ ids: removed.map(({ id }) => id), now });
  await tx.syncs.recordVanished({ id: syncId, missing: missing.length, removed: removed.length });

  const event = (row: { id: string }, kind: NewEvent['kind'], text: string): NewEvent => ({
    kind,
    integrationId: integration.id,
    repositoryId: row.id,
    actor: 'system',
    text,
  });
  await tx.events.add(
    [
      // unreachable repositories are absent from later listings too, so their event is published once
      ...outOfReach
        .filter((row) => row.state !== 'excluded')
        .map((row) => event(row, 'repository.excluded', `${row.fullPath} is left out: access_too_low.`)),
      ...missing.map((row) => event(row, 'repository.missing', `${row.fullPath} is not listed any more.`)),
      ...removed.map((row) => event(row, 'repository.removed', `${row.fullPath} is gone.`)),
    ],
    now,
  );
}

async function engageBrake(input: {
  tx: Stores;
  integration: IntegrationRow;
  syncId: string;
  count: number;
  fingerprint: string | null;
  listings: number;
  now: Date;
}): Promise<void> {
  const { tx, integration, now } = input;
  await tx.integrations.changeLocked(
    integration.id,
    { brakeHeld: input.fingerprint, brakeListings: input.listings },
    now,
  );
  await tx.syncs.recordProgress({ id: input.syncId, cause: 'brake_engaged', listed: 0 });
  await tx.events.add(
    [
      {
        kind: 'sync.brake_engaged',
        integrationId: integration.id,
        actor: 'system',
        text: `${integration.name}: a listing would remove ${input.count} repositories; held back until you accept it or two more listings agree.`,
        data: { syncId: input.syncId, repositories: input.count },
      },
    ],
    now,
  );
}
