import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { Scan } from '../entities/scan.ts';
import type { Sql } from '../sql.ts';
import { createScanAttempts, createScanResults } from './scan-attempts.ts';
import { createScanQueueing, createScanQueueReads, createWaitingScans } from './scan-queue.ts';
import {
  createHookScanRequests,
  createIntegrationScanRequests,
  createScanRequests,
} from './scan-requests.ts';

export function createScanStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createScanQueueing(sql),
    ...createScanQueueReads(sql),
    ...createWaitingScans(sql),
    ...createScanRequests(sql),
    ...createHookScanRequests(sql),
    ...createIntegrationScanRequests(sql),
    ...createScanAttempts(sql),
    ...createScanResults(sql),

    async find(id: string): Promise<Scan | null> {
      return em().findOne(Scan, { id });
    },

    /** Running scans, in pages, for the reconcile workflow. */
    async running(input: { after: string; limit: number }) {
      return sql.rows<{ id: string; repositoryId: string; integrationId: string }>(
        `select id, repository_id as "repositoryId", integration_id as "integrationId" from scan
         where status = 'running' and id > $1 order by id limit $2`,
        [input.after, input.limit],
      );
    },

    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(
        `delete from scan s where s.finished_at < $1 and not exists (select 1 from repository r where r.last_scan_id = s.id)
           and not exists (select 1 from finding f where f.last_scan_id = s.id)`,
        [before],
      );
    },
  };
}
