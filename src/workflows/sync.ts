import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { ListingOutcome } from '../activities/sync/listing.ts';
import type { SyncInput } from './contract.ts';
import { database, listing } from './proxies.ts';

/** Updates the repository rows from GitLab's listing, queues the resulting scans, and ends. */
export async function syncWorkflow({ integrationId, syncId }: SyncInput): Promise<void> {
  const id = { integrationId, syncId };
  try {
    const listed = await list(id);
    setCurrentDetails(`Listed ${listed.listed} repositories${listed.complete ? '' : ', not all of them'}.`);
    const { queued } = await database().applyListing({ ...id, listing: listed, nowMs: Date.now() });
    const heads = listed.complete ? await checkHeads(id) : { queued: 0 };
    await database().finishSync({
      ...id,
      listing: listed,
      queuedScans: queued + heads.queued,
      nowMs: Date.now(),
    });
  } catch (err) {
    if (!isCancellation(err)) throw err;
    await CancellationScope.nonCancellable(() => database().cancelSync({ ...id, nowMs: Date.now() }));
    throw err;
  }
}

async function list(id: SyncInput): Promise<ListingOutcome> {
  try {
    return await listing().listRepositories({ ...id, nowMs: Date.now() });
  } catch (err) {
    if (isCancellation(err) || !(err instanceof ActivityFailure)) throw err;
    return database().listingFailed({ ...id, cause: causeOf(err) });
  }
}

/** Checks the heads of repositories with activity. A failure is harmless: the next sync checks them again. */
async function checkHeads(id: SyncInput): Promise<{ queued: number }> {
  try {
    return await listing().checkHeads({ ...id, nowMs: Date.now() });
  } catch (err) {
    if (isCancellation(err) || !(err instanceof ActivityFailure)) throw err;
    return { queued: 0 };
  }
}

/** The error code of a failed activity; `gitlab_unreachable` for a timeout, which has none. */
export function causeOf(err: ActivityFailure): string {
  return err.cause instanceof ApplicationFailure ? (err.cause.type ?? 'internal') : 'gitlab_unreachable';
}
