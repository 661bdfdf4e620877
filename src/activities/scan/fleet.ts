import { setTimeout as delay } from 'node:timers/promises';
import type { ScanCause } from '../../domain/causes.ts';
import { SCAN_CAUSES } from '../../domain/causes.ts';
import { mayClone } from '../../domain/integration.ts';
import type { ActivityDeps } from '../deps.ts';
import { endFailedScan } from './end-scan.ts';

export interface QueuedScan {
  scanId: string;
  repositoryId: string;
}

const SCANS_PER_PAGE = 50;
/** A scan is five events of its fleet's history; the end of a run waits for the last of its scans. */
const SCANS_PER_RUN = 800;
/** For each that is cloned, two are scanned or wait for a scanner. */
const SCANS_PER_CLONE = 3;
const LINGER_MS = 400;
/** A token that was verified so recently is not verified again before the next page of clones. */
const VERIFIED_WITHIN_MS = 15 * 60_000;

export interface QueuedPage {
  scans: QueuedScan[];
  /** How many may run at once. */
  window: number;
  /** How many a run of the workflow starts. */
  perRun: number;
  /** Scans wait, and the token has to be verified before they are taken. */
  stale: boolean;
  /** When the next scan may be tried again that went back to the queue, in ms since 1970; `null` = none waits. */
  nextTryMs: number | null;
}

export type FleetActivities = ReturnType<typeof createFleetActivities>;

export function createFleetActivities({ database, log, metrics, settings }: ActivityDeps) {
  const { stores } = database;
  return {
    /** The next queued scans, or none while the integration may not clone, or its token was not `verified` lately. */
    async takeQueuedScans(input: {
      integrationId: string;
      exclude: string[];
      verified: boolean;
      nowMs: number;
    }): Promise<QueuedPage> {
      const integration = await stores.integrations.find(input.integrationId);
      const window = settings.clones * SCANS_PER_CLONE;
      const nothing = { scans: [], window, perRun: SCANS_PER_RUN, stale: false, nextTryMs: null };
      if (integration === null) return nothing;
      if (!mayClone(integration)) return nothing;
      const now = new Date(input.nowMs);
      const scans = await stores.scans.listQueued({ ...input, limit: SCANS_PER_PAGE, now });
      if (scans.length === 0) {
        const nextTryAt = await stores.scans.nextTryAt({ ...input, now });
        return { ...nothing, nextTryMs: nextTryAt?.getTime() ?? null };
      }
      const verifiedMs = integration.lastVerifiedAt?.getTime() ?? input.nowMs;
      const stale = !input.verified && input.nowMs - verifiedMs > VERIFIED_WITHIN_MS;
      return stale ? { ...nothing, stale } : { ...nothing, scans };
    },

    /**
     * Lets a moment pass. As a local activity it keeps the workflow's task open, and what happens meanwhile comes
     * together, in one task more, not in one for each.
     */
    async linger(): Promise<void> {
      await delay(LINGER_MS);
    },

    /** Ends a scan whose activity did not: canceled, or failed with what is known of why. */
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

/** Codes that are no cause of a scan (an outage to the last try, our own fault) end as the nearest one that is. */
export function scanCauseOf(code: string): ScanCause {
  const known = SCAN_CAUSES.find((cause) => cause === code);
  if (known !== undefined) return known;
  return code.startsWith('gitlab_') ? 'clone_failed' : 'scanner_crashed';
}
