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

export type FleetActivities = ReturnType<typeof createFleetActivities>;

export function createFleetActivities({ database, log, metrics, settings }: ActivityDeps) {
  const { stores } = database;
  return {
    /** The next queued scans, or none while the integration may not clone. `window` = how many may run at once. */
    async takeScans(input: {
      integrationId: string;
      exclude: string[];
      nowMs: number;
    }): Promise<{ scans: TakenScan[]; window: number }> {
      const integration = await stores.integrations.find(input.integrationId);
      const window = settings.clones;
      if (integration === null) return { scans: [], window };
      const open = mayClone({
        ...integration,
        removedAt: integration.removedAt ?? null,
        suspectedAt: integration.suspectedAt ?? null,
      });
      if (!open) return { scans: [], window };
      return { scans: await stores.scans.take({ ...input, limit: SCANS_PER_PAGE }), window };
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
