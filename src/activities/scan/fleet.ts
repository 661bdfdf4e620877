import { setTimeout as delay } from 'node:timers/promises';
import type { Stores } from '../../db/stores/index.ts';
import type { ScanCause } from '../../domain/causes.ts';
import { SCAN_CAUSES } from '../../domain/causes.ts';
import { mayClone } from '../../domain/integration.ts';
import { quietUntilMs } from '../../domain/quiet-hours.ts';
import type { ActivityDeps } from '../deps.ts';
import { endFailedScan } from './end-scan.ts';

export interface QueuedScan {
  scanId: string;
  repositoryId: string;
  /** Whether it may wait for others. */
  background?: boolean;
}

const SCANS_PER_PAGE = 50;
/** Each scan adds five events to the history of its fleet. A run ends after its last scan. */
const SCANS_PER_RUN = 800;
/** While one repository is cloned, two others are scanned or wait for a scanner. */
const SCANS_PER_CLONE = 3;
const LINGER_MS = 400;
/** A token that was verified within this time is not verified again before the next page of clones. */
const VERIFIED_WITHIN_MS = 15 * 60_000;

export interface QueuedPage {
  scans: QueuedScan[];
  /** The limit of concurrent scans. */
  window: number;
  /** The limit of scans that one run of the workflow starts. */
  perRun: number;
  /** Scans wait, but the token must be verified before they are taken. */
  stale: boolean;
  /** When the next requeued scan may be tried again, in ms since 1970; `null` = none waits. */
  nextTryMs: number | null;
}

interface TakeInput {
  integrationId: string;
  /** Scans that the fleet holds. */
  exclude: string[];
  /** Whether the token was verified just now. */
  verified: boolean;
  nowMs: number;
}

export type FleetActivities = ReturnType<typeof createFleetActivities>;

export function createFleetActivities({ database, log, metrics, settings }: ActivityDeps) {
  const { stores } = database;
  return {
    /**
     * The next queued scans. Empty while the integration may not clone, or if its token was not verified recently.
     */
    async takeQueuedScans(input: TakeInput): Promise<QueuedPage> {
      return takeQueuedScans({ stores, settings }, input);
    },

    /**
     * Waits a short time. As a local activity it keeps the workflow task open, so events of that moment cause one more
     * task, not one each.
     */
    async linger(): Promise<void> {
      await delay(LINGER_MS);
    },

    /** Ends a scan whose activity did not end it: as canceled, or as failed with the known cause. */
    async endScan(input: {
      scanId: string;
      status: 'failed' | 'canceled';
      cause: string;
      nowMs: number;
    }): Promise<void> {
      await endFailedScan({
        database,
        log,
        metrics,
        scanId: input.scanId,
        attempt: null,
        status: input.status,
        cause: scanCauseOf(input.cause),
        now: new Date(input.nowMs),
      });
    },
  };
}

async function takeQueuedScans(
  { stores, settings }: { stores: Stores; settings: ActivityDeps['settings'] },
  input: TakeInput,
): Promise<QueuedPage> {
  const integration = await stores.integrations.find(input.integrationId);
  const window = settings.clones * SCANS_PER_CLONE;
  const nothing = { scans: [], window, perRun: SCANS_PER_RUN, stale: false, nextTryMs: null };
  if (integration === null || !mayClone(integration)) return nothing;
  const now = new Date(input.nowMs);
  const quietUntil = quietUntilMs(settings.quietHours, input.nowMs);
  const onlyRequested = quietUntil !== null;
  const scans = await stores.scans.listQueued({ ...input, limit: SCANS_PER_PAGE, onlyRequested, now });
  if (scans.length === 0) {
    const nextTryAt = await stores.scans.nextTryAt({ ...input, now });
    const nextTryMs = nextTryAt?.getTime() ?? null;
    const waits = quietUntil !== null && (await stores.scans.hasQueued(input.integrationId));
    return { ...nothing, nextTryMs: waits ? Math.max(nextTryMs ?? 0, quietUntil) : nextTryMs };
  }
  const verifiedMs = integration.lastVerifiedAt?.getTime() ?? input.nowMs;
  const stale = !input.verified && input.nowMs - verifiedMs > VERIFIED_WITHIN_MS;
  return stale ? { ...nothing, stale } : { ...nothing, scans };
}

/** Maps a code that is not a scan cause (an outage on the last try, an internal error) to the nearest scan cause. */
export function scanCauseOf(code: string): ScanCause {
  const known = SCAN_CAUSES.find((cause) => cause === code);
  if (known !== undefined) return known;
  return code.startsWith('gitlab_') ? 'clone_failed' : 'scanner_crashed';
}
