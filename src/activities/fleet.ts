import type { ScanCause } from '../domain/causes.ts';
import { SCAN_CAUSES } from '../domain/causes.ts';
import { mayClone } from '../domain/integration.ts';
import type { ActivityDeps } from './deps.ts';
import { endFailedScan } from './end-scan.ts';

export interface TakenScan {
  scanId: string;
  repositoryId: string;
}

const SCANS_PER_PAGE = 50;
/** A token that was looked at so recently is not looked at again before the next page of clones. */
const VERIFIED_WITHIN_MS = 15 * 60_000;

export interface TakenPage {
  scans: TakenScan[];
  /** How many may run at once. */
  window: number;
  /** Scans wait, and the token has to be looked at before they are taken. */
  stale: boolean;
}

export type FleetActivities = ReturnType<typeof createFleetActivities>;

export function createFleetActivities({ database, log, metrics, settings }: ActivityDeps) {
  const { stores } = database;
  return {
    /** The next queued scans, or none while the integration may not clone, or its token was not `verified` lately. */
    async takeScans(input: {
      integrationId: string;
      exclude: string[];
      verified: boolean;
      nowMs: number;
    }): Promise<TakenPage> {
      const integration = await stores.integrations.find(input.integrationId);
      const nothing = { scans: [], window: settings.clones, stale: false };
      if (integration === null) return nothing;
      const open = mayClone({
        ...integration,
        removedAt: integration.removedAt ?? null,
        suspectedAt: integration.suspectedAt ?? null,
      });
      if (!open) return nothing;
      const scans = await stores.scans.take({ ...input, limit: SCANS_PER_PAGE });
      const verifiedMs = integration.lastVerifiedAt?.getTime() ?? input.nowMs;
      const stale = !input.verified && scans.length > 0 && input.nowMs - verifiedMs > VERIFIED_WITHIN_MS;
      return stale ? { ...nothing, stale } : { ...nothing, scans };
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
