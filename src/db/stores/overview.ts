import type { InvalidCause, ReachabilityCause, ScanCause } from '../../domain/causes.ts';
import type { HistoryCause } from '../../domain/history.ts';
import { silentSince } from '../../domain/hook.ts';
import { dateOf } from '../rows.ts';
import type { Sql } from '../sql.ts';
import { MISSED_COMMITS } from './integration-view.ts';

export interface AttentionRow {
  kind:
    | 'invalid'
    | 'expired'
    | 'expiring'
    | 'unreachable'
    | 'brake_engaged'
    | 'nothing_clonable'
    | 'scan_failed'
    | 'history_failed'
    | 'hooks_silent';
  integrationId: string;
  repositoryId: string | null;
  since: Date;
  cause: InvalidCause | ReachabilityCause | ScanCause | HistoryCause | 'brake_engaged' | null;
  name: string;
}

interface StoredAttention {
  kind: AttentionRow['kind'];
  integration_id: string;
  repository_id: string | null;
  since: string;
  cause: AttentionRow['cause'];
  name: string;
}

/** `rank` sorts by urgency. */
const ATTENTION = `
with live as (select * from integration where removed_at is null)
select 'invalid' as kind, 1 as rank, id as integration_id, null as repository_id, coalesce(last_verified_at, updated_at) as since, cause, name
  from live where verdict = 'invalid'
union all
select case when c.flag = 0 then 'expired' else 'expiring' end, 2 + c.flag, i.id, null, c.flagged_at, null, i.name
  from live i join credential c on c.integration_id = i.id and c.state = 'current'
  where c.flag is not null and i.verdict <> 'invalid'
union all
select 'brake_engaged', 500, i.id, null, coalesce(i.last_sync_at, i.updated_at), 'brake_engaged', i.name from live i where i.brake_held is not null
union all
select 'nothing_clonable', 550, id, null, coalesce(last_verified_at, updated_at), 'nothing_clonable', name from live
  where jsonb_exists(warnings, 'nothing_clonable') and verdict = 'active'
union all
(select 'scan_failed', 600, r.integration_id, r.id, s.finished_at, s.cause, r.full_path
  from repository r join live i on i.id = r.integration_id join scan s on s.id = r.last_scan_id
  where r.state = 'active' and s.status = 'failed' and not jsonb_exists(i.warnings, 'nothing_clonable') order by s.finished_at desc limit 100)
union all
(select 'history_failed', 650, r.integration_id, r.id, r.history_read_at, r.history_cause, r.full_path
  from repository r join live i on i.id = r.integration_id
  where r.state = 'active' and r.history_cause is not null and r.history_cause <> 'canceled' order by r.history_read_at desc limit 100)
union all
select 'unreachable', 700, id, null, reachability_since, reachability_cause, name from live
  where reachability = 'unreachable' and verdict <> 'invalid'
union all
select 'hooks_silent', 800, i.id, null, h.last_at, null, i.name from live i join hook_receiver h on h.integration_id = i.id
  where h.last_at <= $1 and not i.paused and i.verdict = 'active' and ${MISSED_COMMITS}
order by 2, 5`;

/** Data of the overview page, one statement per part. */
export function createOverviewStore(sql: Sql) {
  return {
    /** Integrations and repositories that need attention, most urgent first; at most 100 failed scans. */
    async attention(now: Date): Promise<AttentionRow[]> {
      const rows = await sql.rows<StoredAttention>(ATTENTION, [silentSince(now)]);
      return rows.map((row) => ({
        kind: row.kind,
        integrationId: row.integration_id,
        repositoryId: row.repository_id,
        since: dateOf(row.since),
        cause: row.cause,
        name: row.name,
      }));
    },

    async freshness(
      now: Date,
    ): Promise<{ scanned24h: number; failed: number; never: number; repositories: number }> {
      const row = await sql.first<{
        scanned24h: number;
        failed: number;
        never: number;
        repositories: number;
      }>(
        `select count(*) filter (where r.scanned_at > $1::timestamptz - interval '24 hours')::int as scanned24h,
           count(*) filter (where s.status = 'failed')::int as failed,
           count(*) filter (where r.scanned_at is null)::int as never, count(*)::int as repositories
         from repository r join integration i on i.id = r.integration_id and i.removed_at is null
         left join scan s on s.id = r.last_scan_id where r.state = 'active'`,
        [now],
      );
      return row ?? { scanned24h: 0, failed: 0, never: 0, repositories: 0 };
    },

    /** Tokens by expiry date, soonest first; without those that never expire. */
    async expiries(): Promise<
      { integrationId: string; name: string; expiresOn: string; repositories: number; since: Date }[]
    > {
      const rows = await sql.rows<{
        integrationId: string;
        name: string;
        expiresOn: string;
        repositories: number;
        since: string;
      }>(
        `select i.id as "integrationId", i.name, c.expires_on as "expiresOn", coalesce(c.current_at, c.created_at) as since,
           (select count(*)::int from repository r where r.integration_id = i.id and r.state in ('active', 'empty')) as repositories
         from integration i join credential c on c.integration_id = i.id and c.state = 'current'
         where i.removed_at is null and c.expires_on is not null order by c.expires_on, i.id`,
      );
      return rows.map((row) => ({ ...row, since: dateOf(row.since) }));
    },
  };
}
