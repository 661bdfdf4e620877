import type { EventKind, LiveEvent, NewEvent } from '../../domain/event.ts';
import { isAuditKind } from '../../domain/event.ts';
import { SEVERITIES } from '../../domain/finding.ts';
import type { Condition, ListInput } from '../list-query.ts';
import { anyOf, listPage } from '../list-query.ts';
import { newId } from '../new-id.ts';
import type { Page } from '../rows.ts';
import { dateOf } from '../rows.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

export interface StoredEvent {
  id: string;
  at: Date;
  kind: EventKind;
  integrationId: string | null;
  repositoryId: string | null;
  actor: string;
  text: string;
  data: Record<string, unknown>;
}

/** A position in the stream: everything before it was read. */
export interface EventPosition {
  tx: string;
  seq: string;
}

interface EventRow {
  id: string;
  at: string;
  kind: EventKind;
  integration_id: string | null;
  repository_id: string | null;
  actor: string;
  text: string;
  data: Record<string, unknown>;
  tx: string;
  seq: string;
  sort_value: string;
}

const COLUMNS =
  'e.id, e.at, e.kind, e.integration_id, e.repository_id, e.actor, e.text, e.data, e.tx::text as tx, e.seq::text as seq';

/**
 * Writes events, and one delivery per event and channel, whose id is derived from both.
 * Findings of one scan share one message on chat and mail channels, which would otherwise flood people and hit the
 * receiver's rate limit. The lock waits for a channel that is being deleted, and leaves it out.
 */
const INSERT = `
with added as (
  insert into event (id, at, kind, audit, integration_id, repository_id, actor, text, data)
  select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bool[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[])
  returning id, kind, integration_id, data),
matched as (
  select e.id, e.kind, e.integration_id, c.id as channel_id,
    case when c.kind <> 'webhook' and e.kind like 'finding.%' then coalesce(e.data->>'scanId', e.id) else e.id end as message
  from added e cross join lateral (
    select c.id, c.kind from channel c
    where c.enabled and jsonb_exists(c.events, e.kind) and (c.integration_ids is null or jsonb_exists(c.integration_ids, e.integration_id))
      and coalesce(array_position($10::text[], e.data->>'severity') <= array_position($10::text[], c.min_severity), true)
    for key share) c),
messages as (
  select min(id) as id, kind, min(integration_id) as integration_id, channel_id, count(*)::int as events
  from matched group by channel_id, kind, message)
insert into delivery (id, channel_id, event_id, kind, integration_id, events, state, attempts, failures, next_try_at, created_at)
select 'dlv_' || substr(m.id, 5, 10) || upper(substr(md5(m.id || m.channel_id), 1, 16)), m.channel_id, m.id, m.kind, m.integration_id,
  m.events, 'queued', 0, 0, now(), now()
from messages m`;

export function createEventStore(sql: Sql) {
  return {
    ...createEventWrites(sql),
    ...createEventReads(sql),
    ...createEventStream(sql),
  };
}

/** Writes events. */
function createEventWrites(sql: Sql) {
  return {
    /**
     * Writes events and their deliveries in the transaction of this store; `NOTIFY` wakes readers
     * when it commits.
     */
    async add(events: readonly NewEvent[], now: Date): Promise<void> {
      if (events.length === 0) return;
      await sql.run(INSERT, [
        events.map(() => newId('event')),
        events.map(() => now),
        events.map((event) => event.kind),
        events.map((event) => isAuditKind(event.kind)),
        events.map((event) => event.integrationId),
        events.map((event) => event.repositoryId ?? null),
        events.map((event) => event.actor),
        events.map((event) => event.text),
        events.map((event) => jsonText(event.data ?? {})),
        SEVERITIES,
      ]);
    },

    /** Publishes a live event to connected readers without storing it. */
    async publishLive(event: LiveEvent): Promise<void> {
      await sql.run(`select pg_notify('secu_live', $1)`, [jsonText(event)]);
    },

    async removeOlderThan(input: { before: Date; auditBefore: Date }): Promise<number> {
      return sql.run(
        `delete from event where at < case when audit then $2::timestamptz else $1::timestamptz end`,
        [input.before, input.auditBefore],
      );
    },
  };
}

/** Reads stored events. */
function createEventReads(sql: Sql) {
  return {
    /** True when an event of these kinds was stored since then. */
    async hasSince(input: {
      integrationId: string;
      kinds: readonly EventKind[];
      since: Date;
    }): Promise<boolean> {
      const row = await sql.first<{ id: string }>(
        `select id from event where integration_id = $1 and kind = any($2::text[]) and at > $3 limit 1`,
        [input.integrationId, input.kinds, input.since],
      );
      return row !== null;
    },

    async list(
      filter: { integrationId?: string[] | undefined; kind?: string[] | undefined; audit: boolean },
      list: ListInput,
    ): Promise<Page<StoredEvent>> {
      const conditions: Condition[] = [
        ...anyOf('e.integration_id', filter.integrationId),
        ...anyOf('e.kind', filter.kind),
      ];
      if (!filter.audit) conditions.push({ text: 'not e.audit', params: [] });
      return listPage<EventRow, StoredEvent>({
        sql,
        select: `select ${COLUMNS} /*sort*/ from event e`,
        conditions,
        columns: { at: { expression: 'e.seq', cast: 'bigint' } },
        defaultSort: '-at',
        idColumn: 'e.id',
        list,
        item: eventOf,
      });
    },
  };
}

/** Reads the event stream by position, in commit order. */
function createEventStream(sql: Sql) {
  return {
    /**
     * Events after a position, up to the oldest open transaction, so that a late commit is never skipped.
     */
    async readAfter(
      position: EventPosition,
      limit: number,
    ): Promise<{ event: StoredEvent; audit: boolean; position: EventPosition }[]> {
      const rows = await sql.rows<EventRow & { audit: boolean }>(
        `select ${COLUMNS}, e.audit from event e
         where (e.tx, e.seq) > ($1::text::xid8, $2::bigint) and e.tx < pg_snapshot_xmin(pg_current_snapshot())
         order by e.tx, e.seq limit $3`,
        [position.tx, position.seq, limit],
      );
      return rows.map((row) => ({
        event: eventOf(row),
        audit: row.audit,
        position: { tx: row.tx, seq: row.seq },
      }));
    },

    /** True when an open transaction holds back an event after this position. */
    async isHeldBack(position: EventPosition): Promise<boolean> {
      const row = await sql.first<{ held: boolean }>(
        `select exists (select 1 from event e where (e.tx, e.seq) > ($1::text::xid8, $2::bigint)
           and e.tx >= pg_snapshot_xmin(pg_current_snapshot())) as held`,
        [position.tx, position.seq],
      );
      return row?.held ?? false;
    },

    /** The position of an event; `null` when it was deleted. */
    async positionOf(id: string): Promise<EventPosition | null> {
      return sql.first<EventPosition>(`select tx::text as tx, seq::text as seq from event where id = $1`, [
        id,
      ]);
    },

    /** The position after everything that can be read now. */
    async endPosition(): Promise<EventPosition> {
      const row = await sql.first<EventPosition>(
        // qualified, because a bare name in "order by" would mean the texts of the select list
        `select e.tx::text as tx, e.seq::text as seq from event e
         where e.tx < pg_snapshot_xmin(pg_current_snapshot()) order by e.tx desc, e.seq desc limit 1`,
      );
      return row ?? { tx: '0', seq: '0' };
    },
  };
}

function eventOf(row: EventRow): StoredEvent {
  return {
    id: row.id,
    at: dateOf(row.at),
    kind: row.kind,
    integrationId: row.integration_id,
    repositoryId: row.repository_id,
    actor: row.actor,
    text: row.text,
    data: row.data,
  };
}
