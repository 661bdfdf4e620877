import type { IntegrationStatus, ReachabilityState } from '../../domain/integration.ts';
import type { RepositoryState } from '../../domain/repository.ts';
import type { Sql } from '../sql.ts';

/** Times in seconds since 1970, ages in seconds; `null` = none. */
export interface IntegrationGauges {
  id: string;
  name: string;
  status: IntegrationStatus;
  reachability: ReachabilityState;
  brakeEngaged: boolean;
  lastVerifiedSeconds: number | null;
  lastSyncSeconds: number | null;
  /** `YYYY-MM-DD`; `null` = never, or unknown. */
  expiresOn: string | null;
}

export interface QueueGauges {
  commands: number;
  oldestCommandSeconds: number | null;
  outbox: number;
  oldestOutboxSeconds: number | null;
  deliveries: number;
  /** How long the oldest is overdue; a delivery that waits for its next attempt is not overdue. */
  oldestDeliverySeconds: number | null;
  scansRunning: number;
  /** Queued scans by age group, see {@link QUEUED_AGES}. */
  scansQueued: number[];
  /** Only scans that may run now: their integration is active, reachable and not paused. */
  oldestScanSeconds: number | null;
  scansHeldByDisk: number;
}

export interface RepositoryGauges {
  state: RepositoryState;
  repositories: number;
  neverScanned: number;
  scanned24h: number;
  critical: number;
  high: number;
  medium: number;
  low: number;
}

/** Ages of queued scans in seconds, from (inclusive) and to (exclusive). */
export const QUEUED_AGES = [
  { name: 'under_1m', from: 0, to: 60 },
  { name: '1m_to_10m', from: 60, to: 600 },
  { name: '10m_to_1h', from: 600, to: 3_600 },
  { name: '1h_to_6h', from: 3_600, to: 21_600 },
  { name: 'over_6h', from: 21_600, to: null },
] as const;

const AGE = 'extract(epoch from $1::timestamptz - s.queued_at)';
const GROUPS = QUEUED_AGES.map(({ from, to }) => {
  // a slow clock makes ages negative: they count as young
  const lower = from === 0 ? '' : ` and ${AGE} >= ${from}`;
  const upper = to === null ? '' : ` and ${AGE} < ${to}`;
  return `count(*) filter (where s.status = 'queued'${lower}${upper})`;
});

const QUEUES = `
select c.*, o.*, d.*, s.* from
  (select count(*)::int as commands, extract(epoch from $1::timestamptz - min(created_at))::float8 as "oldestCommandSeconds"
     from command where state <> 'done') c,
  (select count(*)::int as outbox, extract(epoch from $1::timestamptz - min(created_at))::float8 as "oldestOutboxSeconds"
     from outbox) o,
  (select count(*)::int as deliveries, extract(epoch from now() - min(next_try_at) filter (where next_try_at <= now()))::float8
     as "oldestDeliverySeconds" from delivery where state = 'queued') d,
  (select count(*) filter (where s.status = 'running')::int as "scansRunning",
     json_build_array(${GROUPS.join(', ')}) as "scansQueued",
     (max(${AGE}) filter (where s.status = 'queued' and i.verdict = 'active' and not i.paused
       and i.reachability <> 'unreachable' and i.suspected_at is null))::float8 as "oldestScanSeconds",
     (count(*) filter (where s.status = 'queued' and s.cause = 'disk_low'))::int as "scansHeldByDisk"
     from scan s join integration i on i.id = s.integration_id and i.removed_at is null
     where s.status in ('queued', 'running')) s`;

/** Database figures for `/metrics`: three statements for any number of rows, and nothing per repository. */
export function createMetricsStore(sql: Sql) {
  return {
    async integrations(): Promise<IntegrationGauges[]> {
      return sql.rows(
        `select i.id, i.name, case when i.paused then 'paused' else i.verdict end as status, i.reachability,
           i.brake_held is not null as "brakeEngaged", extract(epoch from i.last_verified_at)::float8 as "lastVerifiedSeconds",
           extract(epoch from i.last_sync_at)::float8 as "lastSyncSeconds", c.expires_on as "expiresOn"
         from integration i left join credential c on c.integration_id = i.id and c.state = 'current'
         where i.removed_at is null order by i.id`,
      );
    },

    async queues(now: Date): Promise<QueueGauges> {
      const row = await sql.first<QueueGauges>(QUEUES, [now]);
      if (row === null) throw new Error('an aggregate returned nothing');
      return row;
    },

    async repositories(now: Date): Promise<RepositoryGauges[]> {
      return sql.rows(
        `select r.state, count(*)::int as repositories, (count(*) filter (where r.scanned_at is null))::int as "neverScanned",
           (count(*) filter (where r.scanned_at > $1::timestamptz - interval '24 hours'))::int as "scanned24h",
           sum(r.open_critical)::int as critical, sum(r.open_high)::int as high, sum(r.open_medium)::int as medium, sum(r.open_low)::int as low
         from repository r join integration i on i.id = r.integration_id and i.removed_at is null group by r.state`,
        [now],
      );
    },
  };
}
