import type { ChannelKind, DeliveryCause, DeliveryState } from '../../domain/channel.ts';
import { TEST_MESSAGE_KIND } from '../../domain/channel.ts';
import type { SealedSecret } from '../../domain/sealed-secret.ts';
import type { ListInput } from '../list-query.ts';
import { anyOf, listPage } from '../list-query.ts';
import { newId } from '../new-id.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface DeliveryView {
  id: string;
  channelId: string;
  eventId: string | null;
  kind: string;
  integrationId: string | null;
  state: DeliveryState;
  attempts: number;
  cause: DeliveryCause | null;
  status: number | null;
  nextTryAt: Date;
  createdAt: Date;
  finishedAt: Date | null;
}

interface DeliveryRow {
  id: string;
  channel_id: string;
  event_id: string | null;
  kind: string;
  integration_id: string | null;
  state: DeliveryState;
  attempts: number;
  cause: DeliveryCause | null;
  status: number | null;
  next_try_at: string;
  created_at: string;
  finished_at: string | null;
  sort_value: string;
}

/** A delivery leased to one worker, with everything needed to send it. */
export interface ClaimedDelivery {
  id: string;
  kind: string;
  integrationId: string | null;
  /** Identifies this claim: the outcome of an older one is ignored. */
  attempt: number;
  /** Failed attempts since it was queued. */
  failures: number;
  /** How many events of one scan it covers. */
  events: number;
  createdAt: Date;
  channel: {
    id: string;
    kind: ChannelKind;
    name: string;
    mailTo: string | null;
    url: (SealedSecret & { version: number }) | null;
    signingSecret: SealedSecret | null;
  };
  /** `null` for a test message or a deleted event. */
  event: {
    id: string;
    at: Date;
    text: string;
    integrationId: string | null;
    repositoryId: string | null;
    data: Record<string, unknown>;
  } | null;
}

interface ClaimedRow {
  id: string;
  kind: string;
  integration_id: string | null;
  attempts: number;
  failures: number;
  events: number;
  created_at: string;
  channel_id: string;
  channel_kind: ChannelKind;
  channel_name: string;
  mail_to: string | null;
  url_sealed: Buffer | null;
  url_key_id: string | null;
  url_version: number;
  signing_sealed: Buffer | null;
  signing_key_id: string | null;
  event_id: string | null;
  event_at: string | null;
  event_text: string | null;
  event_integration_id: string | null;
  event_repository_id: string | null;
  event_data: Record<string, unknown> | null;
}

/**
 * A limited number per channel, so that a hanging receiver does not block others. The conditions are repeated,
 * because a row that another worker claimed meanwhile is read again after its lock is released.
 */
const CLAIM = `
with busy as (
  select channel_id, count(*) as sending from delivery where state = 'queued' and leased_until > now() group by channel_id),
due as (
  select d.id, coalesce(b.sending, 0) + row_number() over (partition by d.channel_id order by d.next_try_at, d.id) as place
  from delivery d join channel c on c.id = d.channel_id left join busy b on b.channel_id = d.channel_id
  where d.state = 'queued' and d.next_try_at <= now() and (d.leased_until is null or d.leased_until <= now())
    and (c.enabled or d.kind = '${TEST_MESSAGE_KIND}')),
picked as (
  select id from delivery
  where id in (select id from due where place <= $2) and state = 'queued' and next_try_at <= now()
    and (leased_until is null or leased_until <= now())
  order by next_try_at, id limit $1 for update skip locked)
update delivery d set attempts = d.attempts + 1, leased_until = now() + $3 * interval '1 millisecond'
from picked p join delivery o on o.id = p.id join channel c on c.id = o.channel_id left join event e on e.id = o.event_id
where d.id = p.id
returning d.id, d.kind, d.integration_id, d.attempts, d.failures, d.events, d.created_at, c.id as channel_id, c.kind as channel_kind,
  c.name as channel_name, c.mail_to, c.url_sealed, c.url_key_id, c.url_version, c.signing_sealed, c.signing_key_id,
  e.id as event_id, e.at as event_at, e.text as event_text, e.integration_id as event_integration_id,
  e.repository_id as event_repository_id, e.data as event_data`;

const MINE = `id = $1 and attempts = $2 and state = 'queued'`;

/** Messages to channels. All times come from the database clock, so that workers' clocks need not agree. */
export function createDeliveryStore(sql: Sql) {
  return {
    ...createDeliveryQueue(sql),
    ...createDeliveryOutcomes(sql),
    ...createDeliveryReads(sql),
  };
}

/** Queues deliveries and leases them to workers. */
function createDeliveryQueue(sql: Sql) {
  return {
    async addTest({ channelId }: { channelId: string }): Promise<string> {
      const id = newId('delivery');
      await sql.run(
        `insert into delivery (id, channel_id, kind, state, attempts, failures, next_try_at, created_at)
         values ($1, $2, $3, 'queued', 0, 0, now(), now())`,
        [id, channelId, TEST_MESSAGE_KIND],
      );
      return id;
    },

    /** Leases due deliveries. */
    async claim(input: { limit: number; perChannel: number; leaseMs: number }): Promise<ClaimedDelivery[]> {
      const rows = await sql.rows<ClaimedRow>(CLAIM, [input.limit, input.perChannel, input.leaseMs]);
      return rows.map(claimedOf);
    },

    /** Releases the lease: the outcome is unknown, and any worker may claim it again. */
    async release(input: { id: string; attempt: number }): Promise<void> {
      await sql.run(`update delivery set leased_until = null where ${MINE}`, [input.id, input.attempt]);
    },

    /** Queues it for sending now under the same id, whatever its state. A running attempt is not interrupted. */
    async retry(id: string): Promise<void> {
      await sql.run(
        `update delivery set state = 'queued', failures = 0, next_try_at = now(), finished_at = null,
           leased_until = case when state = 'queued' then leased_until end
         where id = $1`,
        [id],
      );
    },

    /** Cancels the queue of a channel that was switched off, so that old messages are not sent months later. */
    async giveUp({ channelId, cause }: { channelId: string; cause: DeliveryCause }): Promise<number> {
      return sql.run(
        `update delivery set state = 'failed', cause = $2, finished_at = now(), leased_until = null
         where channel_id = $1 and state = 'queued' and kind <> '${TEST_MESSAGE_KIND}'`,
        [channelId, cause],
      );
    },
  };
}

/** Outcomes of attempts; that of an outdated attempt is ignored. */
function createDeliveryOutcomes(sql: Sql) {
  return {
    /** @returns false when a newer attempt has replaced this one */
    async sent(input: { id: string; attempt: number; status: number | null }): Promise<boolean> {
      const changed = await sql.run(
        `update delivery set state = 'sent', cause = null, status = $3, leased_until = null, finished_at = now() where ${MINE}`,
        [input.id, input.attempt, input.status],
      );
      return changed === 1;
    },

    /** `pauseMs` null = no further attempt. @returns as `sent` */
    async failed(input: {
      id: string;
      attempt: number;
      cause: DeliveryCause;
      status: number | null;
      pauseMs: number | null;
    }): Promise<boolean> {
      const changed = await sql.run(
        `update delivery set failures = failures + 1, cause = $3, status = $4, leased_until = null,
           state = case when $5::float8 is null then 'failed' else 'queued' end,
           next_try_at = now() + coalesce($5, 0) * interval '1 millisecond',
           finished_at = case when $5 is null then now() end
         where ${MINE}`,
        [input.id, input.attempt, input.cause, input.status, input.pauseMs],
      );
      return changed === 1;
    },

    /**
     * The receiver asked to wait: this message and every other one of its channel. It is no failure.
     * @returns as `sent`
     */
    async postpone(input: {
      id: string;
      attempt: number;
      channelId: string;
      cause: DeliveryCause;
      status: number | null;
      pauseMs: number;
    }): Promise<boolean> {
      const changed = await sql.run(
        `update delivery set cause = $3, status = $4, leased_until = null, next_try_at = now() + $5 * interval '1 millisecond'
         where ${MINE}`,
        [input.id, input.attempt, input.cause, input.status, input.pauseMs],
      );
      await sql.run(
        `update delivery set next_try_at = greatest(next_try_at, now() + $2 * interval '1 millisecond')
         where channel_id = $1 and state = 'queued' and (leased_until is null or leased_until <= now())`,
        [input.channelId, input.pauseMs],
      );
      return changed === 1;
    },
  };
}

/** Reads and deletes deliveries. */
function createDeliveryReads(sql: Sql) {
  return {
    async find(input: { id: string; channelId: string }): Promise<DeliveryView | null> {
      const row = await sql.first<DeliveryRow>(
        `select *, '' as sort_value from delivery where id = $1 and channel_id = $2`,
        [input.id, input.channelId],
      );
      return row === null ? null : viewOf(row);
    },

    async list(
      filter: { channelId: string; state: DeliveryState[] | undefined },
      list: ListInput,
    ): Promise<Page<DeliveryView>> {
      return listPage<DeliveryRow, DeliveryView>({
        sql,
        select: 'select d.* /*sort*/ from delivery d',
        conditions: [
          { text: 'd.channel_id = ?', params: [filter.channelId] },
          ...anyOf('d.state', filter.state),
        ],
        columns: { createdAt: { expression: 'd.id', cast: 'text' } },
        defaultSort: '-createdAt',
        idColumn: 'd.id',
        list,
        item: viewOf,
      });
    },

    /** Deletes finished deliveries. */
    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(`delete from delivery where created_at < $1 and state <> 'queued'`, [before]);
    },
  };
}

function claimedOf(row: ClaimedRow): ClaimedDelivery {
  const sealed = (record: Buffer | null, keyId: string | null): SealedSecret | null =>
    record === null || keyId === null ? null : { record, keyId };
  const url = sealed(row.url_sealed, row.url_key_id);
  return {
    id: row.id,
    kind: row.kind,
    integrationId: row.integration_id,
    attempt: row.attempts,
    failures: row.failures,
    events: row.events,
    createdAt: dateOf(row.created_at),
    channel: {
      id: row.channel_id,
      kind: row.channel_kind,
      name: row.channel_name,
      mailTo: row.mail_to,
      url: url === null ? null : { ...url, version: row.url_version },
      signingSecret: sealed(row.signing_sealed, row.signing_key_id),
    },
    event:
      row.event_id === null || row.event_at === null
        ? null
        : {
            id: row.event_id,
            at: dateOf(row.event_at),
            text: row.event_text ?? '',
            integrationId: row.event_integration_id,
            repositoryId: row.event_repository_id,
            data: row.event_data ?? {},
          },
  };
}

function viewOf(row: DeliveryRow): DeliveryView {
  return {
    id: row.id,
    channelId: row.channel_id,
    eventId: row.event_id,
    kind: row.kind,
    integrationId: row.integration_id,
    state: row.state,
    attempts: row.attempts,
    cause: row.cause,
    status: row.status,
    nextTryAt: dateOf(row.next_try_at),
    createdAt: dateOf(row.created_at),
    finishedAt: dateOrNull(row.finished_at),
  };
}
