import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { ChannelEventKind, ChannelKind, DeliveryCause, DeliveryState } from '../../domain/channel.ts';
import { EXPIRY_FLAG } from '../../domain/channel.ts';
import type { Severity } from '../../domain/finding.ts';
import type { SealedSecret } from '../../domain/sealed-secret.ts';
import { Channel } from '../entities/channel.ts';
import type { ListInput } from '../list-query.ts';
import { listPage } from '../list-query.ts';
import type { Page } from '../rows.ts';
import { dateOf } from '../rows.ts';
import type { Sql } from '../sql.ts';

/** A channel for display: only the origin of its URL. */
export interface ChannelView {
  id: string;
  kind: ChannelKind;
  name: string;
  enabled: boolean;
  offCause: DeliveryCause | null;
  events: ChannelEventKind[];
  integrationIds: string[] | null;
  minSeverity: Severity | null;
  urlOrigin: string | null;
  urlVersion: number;
  mailTo: string | null;
  createdAt: Date;
  updatedAt: Date;
  lastDelivery: LastDelivery | null;
}

interface LastDelivery {
  id: string;
  state: DeliveryState;
  cause: DeliveryCause | null;
  status: number | null;
  at: Date;
}

interface ChannelRow {
  id: string;
  kind: ChannelKind;
  name: string;
  enabled: boolean;
  off_cause: DeliveryCause | null;
  events: ChannelEventKind[];
  integration_ids: string[] | null;
  min_severity: Severity | null;
  url_origin: string | null;
  url_version: number;
  mail_to: string | null;
  created_at: string;
  updated_at: string;
  last: {
    id: string;
    state: DeliveryState;
    cause: DeliveryCause | null;
    status: number | null;
    at: string;
  } | null;
  sort_value: string;
}

export interface SealedAddress extends SealedSecret {
  origin: string;
  version: number;
}

/** Fields that a person may change; absent fields stay. */
export interface ChannelChange {
  name?: string | undefined;
  enabled?: boolean | undefined;
  events?: ChannelEventKind[] | undefined;
  integrationIds?: string[] | null | undefined;
  minSeverity?: Severity | null | undefined;
  mailTo?: string | undefined;
  address?: SealedAddress | undefined;
}

const SELECT = `select c.id, c.kind, c.name, c.enabled, c.off_cause, c.events, c.integration_ids, c.min_severity, c.url_origin,
  c.url_version, c.mail_to, c.created_at, c.updated_at,
  (select json_build_object('id', d.id, 'state', d.state, 'cause', d.cause, 'status', d.status, 'at', coalesce(d.finished_at, d.created_at))
   from delivery d where d.channel_id = c.id order by d.id desc limit 1) as last /*sort*/
  from channel c`;

/** Where Secu sends notifications. */
export function createChannelStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createChannelReads(sql),
    ...createChannelRows({ em, sql }),
    ...createChannelChanges({ em, sql }),
    ...createExpiryAlertReads(sql),
  };
}

/** Reads channels; ciphertexts stay in the database. */
function createChannelReads(sql: Sql) {
  return {
    async find(id: string): Promise<ChannelView | null> {
      const row = await sql.first<ChannelRow>(`${SELECT} where c.id = $1`, [id]);
      return row === null ? null : viewOf(row);
    },

    /** Locks the row for the rest of the transaction. */
    async lock(id: string): Promise<ChannelView | null> {
      await sql.run(`select 1 from channel where id = $1 for no key update`, [id]);
      return this.find(id);
    },

    async list(list: ListInput): Promise<Page<ChannelView>> {
      return listPage<ChannelRow, ChannelView>({
        sql,
        select: SELECT,
        conditions: [],
        columns: { createdAt: { expression: 'c.id', cast: 'text' } },
        defaultSort: 'createdAt',
        idColumn: 'c.id',
        list,
        item: viewOf,
      });
    },
  };
}

/** Adds and deletes channels. */
function createChannelRows({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async add(input: {
      id: string;
      kind: ChannelKind;
      name: string;
      events: ChannelEventKind[];
      integrationIds: string[] | null;
      minSeverity: Severity | null;
      mailTo: string | null;
      address: SealedAddress | null;
      signingSecret: SealedSecret | null;
      now: Date;
    }): Promise<void> {
      const { now, address, signingSecret, ...columns } = input;
      await em().insert(Channel, {
        ...columns,
        enabled: true,
        offCause: null,
        urlOrigin: address?.origin ?? null,
        urlSealed: address?.record ?? null,
        urlKeyId: address?.keyId ?? null,
        urlVersion: address?.version ?? 0,
        signingSealed: signingSecret?.record ?? null,
        signingKeyId: signingSecret?.keyId ?? null,
        createdAt: now,
        updatedAt: now,
      });
    },

    /** Deletes it with its deliveries and ciphertexts. */
    async remove(id: string): Promise<boolean> {
      return (await sql.run(`delete from channel where id = $1`, [id])) === 1;
    },
  };
}

/** Changes channels. */
function createChannelChanges({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async change(id: string, change: ChannelChange, now: Date): Promise<void> {
      const { address, enabled, ...plain } = change;
      const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
      await em().nativeUpdate(
        Channel,
        { id },
        {
          ...given,
          ...(enabled === undefined ? {} : { enabled, offCause: null }),
          ...(address === undefined
            ? {}
            : {
                urlOrigin: address.origin,
                urlSealed: address.record,
                urlKeyId: address.keyId,
                urlVersion: address.version,
              }),
          updatedAt: now,
        },
      );
    },

    /** Switches it off automatically. @returns false when it was already off */
    async switchOff({ id, cause, now }: { id: string; cause: DeliveryCause; now: Date }): Promise<boolean> {
      const changed = await sql.run(
        `update channel set enabled = false, off_cause = $2, updated_at = $3 where id = $1 and enabled`,
        [id, cause, now],
      );
      return changed === 1;
    },
  };
}

/** Which integrations no channel watches. */
function createExpiryAlertReads(sql: Sql) {
  return {
    /**
     * Integrations whose expiry no channel is notified of: `allIntegrations`, or these, at most 100.
     * `mail`: a mail server is configured, so email channels count.
     */
    async expiryAlertGaps({
      mail,
    }: {
      mail: boolean;
    }): Promise<{ allIntegrations: boolean; integrations: { id: string; name: string }[] }> {
      const row = await sql.first<{ allIntegrations: boolean; integrations: { id: string; name: string }[] }>(
        `with notifying as (
           select integration_ids from channel where enabled and (kind <> 'email' or $1) and jsonb_exists(events, $2))
         select not exists (select 1 from notifying) as "allIntegrations",
           (select coalesce(json_agg(u), '[]') from (
              select i.id, i.name from integration i where i.removed_at is null and not exists (
                select 1 from notifying n where n.integration_ids is null or jsonb_exists(n.integration_ids, i.id))
              order by i.id limit 100) u) as integrations`,
        [mail, EXPIRY_FLAG],
      );
      return row ?? { allIntegrations: true, integrations: [] };
    },
  };
}

function viewOf(row: ChannelRow): ChannelView {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    enabled: row.enabled,
    offCause: row.off_cause,
    events: row.events,
    integrationIds: row.integration_ids,
    minSeverity: row.min_severity,
    urlOrigin: row.url_origin,
    urlVersion: row.url_version,
    mailTo: row.mail_to,
    createdAt: dateOf(row.created_at),
    updatedAt: dateOf(row.updated_at),
    lastDelivery: row.last === null ? null : { ...row.last, at: dateOf(row.last.at) },
  };
}
