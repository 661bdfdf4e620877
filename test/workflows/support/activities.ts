import { Context } from '@temporalio/activity';
import type { IntegrationActivities } from '../../../src/activities/integration.ts';
import type { ReconcileActivities } from '../../../src/activities/reconcile.ts';
import type { RotationActivities } from '../../../src/activities/rotation/activities.ts';
import type { FleetActivities } from '../../../src/activities/scan/fleet.ts';
import type { ScanActivities } from '../../../src/activities/scan/scan.ts';
import type { ListingActivities } from '../../../src/activities/sync/listing.ts';
import type { SyncActivities } from '../../../src/activities/sync/sync.ts';
import type { VerifyActivities } from '../../../src/activities/token/verify.ts';

/** Every activity that a workflow may call. A fake that misses one does not compile. */
export type AllActivities = IntegrationActivities &
  SyncActivities &
  FleetActivities &
  ReconcileActivities &
  VerifyActivities &
  RotationActivities &
  ListingActivities &
  ScanActivities;

/** Activities that fail the test when called; the expected ones override them. */
export function activitiesWith(own: Partial<AllActivities>): AllActivities {
  const unexpected = (name: keyof AllActivities) => async () => {
    throw new Error(`nobody was to call ${name}`);
  };
  return {
    planIntegration: unexpected('planIntegration'),
    flagExpiry: unexpected('flagExpiry'),
    cleanUpIntegration: unexpected('cleanUpIntegration'),
    abandonCommand: unexpected('abandonCommand'),
    openSync: unexpected('openSync'),
    listingFailed: unexpected('listingFailed'),
    applyListing: unexpected('applyListing'),
    finishSync: unexpected('finishSync'),
    cancelSync: unexpected('cancelSync'),
    takeQueuedScans: unexpected('takeQueuedScans'),
    // a delay without effects
    linger: async () => {},
    endScan: unexpected('endScan'),
    reconcile: unexpected('reconcile'),
    verifyToken: unexpected('verifyToken'),
    replaceToken: unexpected('replaceToken'),
    chooseRotator: unexpected('chooseRotator'),
    rotateToken: unexpected('rotateToken'),
    resolveRotation: unexpected('resolveRotation'),
    listRepositories: unexpected('listRepositories'),
    checkHeads: unexpected('checkHeads'),
    checkStaleHeads: unexpected('checkStaleHeads'),
    scanRepository: unexpected('scanRepository'),
    ...own,
  };
}

const BEAT_MS = 200;

/** A long activity for tests of cancellation. It heartbeats, because a cancel arrives with a heartbeat. */
export async function untilCanceled(): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(beat);
  }
}
