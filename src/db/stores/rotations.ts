import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { RotationFailure, RotationTrigger } from '../../domain/rotation.ts';
import type { RotationState } from '../entities/integration.ts';
import { Rotation } from '../entities/integration.ts';
import type { Row } from '../rows.ts';
import { rowOf } from '../rows.ts';
import type { Sql } from '../sql.ts';

const COLUMNS = [
  'id',
  'integrationId',
  'credentialId',
  'newCredentialId',
  'newVersion',
  'oldTokenId',
  'tokenName',
  'workerId',
  'trigger',
  'commandId',
  'state',
  'code',
  'sent',
  'expiresOn',
  'newTokenId',
  'firstAliveAt',
  'nextCheckAt',
  'createdAt',
] as const satisfies readonly (keyof Rotation)[];

export type RotationRow = Row<Rotation, (typeof COLUMNS)[number]>;

const OPEN: RotationState[] = ['intent', 'committed'];
/** Advisory lock for starting a rotation at one GitLab origin. */
const ORIGIN_LOCK = 7_361_996;

function rotationOf(entity: Rotation | null): RotationRow | null {
  return entity === null ? null : rowOf(entity, COLUMNS);
}

/**
 * Rotation attempts. A unique index allows one open attempt per integration; every step is a compare-and-swap on
 * its state, so that a late or repeated step finds nothing to do.
 */
export function createRotationStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createRotationReads({ em, sql }),
    ...createRotationStarts({ em, sql }),
    ...createRotationOutcomes({ em, sql }),
    ...createRotationOwners(sql),
    /** Deletes old attempts, except the newest of an integration and those whose answer may still arrive. */
    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(
        `delete from rotation r where r.ended_at < $1 and r.state <> 'lost'
           and exists (select 1 from rotation later where later.integration_id = r.integration_id and later.id > r.id)`,
        [before],
      );
    },
  };
}

/** Reads attempts. */
function createRotationReads({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async find(id: string): Promise<RotationRow | null> {
      return rotationOf(await em().findOne(Rotation, { id }));
    },

    /** The open attempt: its outcome is unknown or not verified. */
    async open(integrationId: string): Promise<RotationRow | null> {
      return rotationOf(await em().findOne(Rotation, { integrationId, state: { $in: OPEN } }));
    },

    async last(integrationId: string): Promise<RotationRow | null> {
      return rotationOf(await em().findOne(Rotation, { integrationId }, { orderBy: { id: 'desc' } }));
    },

    /**
     * Locks the origin for the rest of the transaction.
     * @returns true when another attempt started there after `since` and has not ended
     */
    async isBusy({ origin, since }: { origin: string; since: Date }): Promise<boolean> {
      await sql.run(`select pg_advisory_xact_lock($1, hashtext($2))`, [ORIGIN_LOCK, origin]);
      const row = await sql.first<{ id: string }>(
        `select id from rotation where origin = $1 and state = 'intent' and created_at > $2 limit 1`,
        [origin, since],
      );
      return row !== null;
    },
  };
}

/** The start of an attempt. */
function createRotationStarts({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    /** `intent`: once committed, GitLab may be asked, once. `refused`: GitLab was not asked. */
    async add(input: {
      id: string;
      integrationId: string;
      credentialId: string;
      newCredentialId: string;
      newVersion: number;
      oldTokenId: number | null;
      tokenName: string | null;
      workerId: string;
      origin: string;
      trigger: RotationTrigger;
      commandId: string | null;
      state: 'intent' | 'refused';
      code: RotationFailure | null;
      expiresOn: string;
      now: Date;
    }): Promise<void> {
      const { now, ...columns } = input;
      const isIntent = input.state === 'intent';
      await em().insert(Rotation, {
        ...columns,
        ownerSeenAt: new Date(),
        sent: isIntent,
        newTokenId: null,
        firstAliveAt: null,
        nextCheckAt: isIntent ? now : null,
        createdAt: now,
        endedAt: isIntent ? null : now,
      });
    },

    /** Sets the date of the second request, after GitLab named its limit. */
    async setExpiry(input: { id: string; expiresOn: string }): Promise<void> {
      await sql.run(`update rotation set expires_on = $2 where id = $1 and state = 'intent'`, [
        input.id,
        input.expiresOn,
      ]);
    },
  };
}

/** The course of a started attempt, and its end. */
function createRotationOutcomes({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    /** The answer is here, late or not. @returns false when it was stored before or the attempt ended otherwise */
    async commit(input: { id: string; newTokenId: number | null; expiresOn: string | null; now: Date }) {
      const changed = await sql.run(
        `update rotation set state = 'committed', code = null, new_token_id = $2, expires_on = coalesce($3, expires_on),
           next_look_at = $4, ended_at = null
         where id = $1 and state in ('intent', 'lost', 'not_rotated')`,
        [input.id, input.newTokenId, input.expiresOn, input.now],
      );
      return changed === 1;
    },

    /** Updates an open attempt and when to check it again. Absent fields stay. */
    async recordProgress(input: {
      id: string;
      nextCheckAt: Date;
      firstAliveAt?: Date | null;
      newTokenId?: number;
    }): Promise<void> {
      const { id, ...change } = input;
      await em().nativeUpdate(Rotation, { id, state: { $in: OPEN } }, change);
    },

    /** @returns false when its state has changed */
    async end(input: {
      id: string;
      from: 'intent' | 'committed';
      state: Exclude<RotationState, 'intent' | 'committed'>;
      code: RotationFailure | null;
      now: Date;
    }): Promise<boolean> {
      const changed = await sql.run(
        `update rotation set state = $3, code = $4, ended_at = $5, next_look_at = null where id = $1 and state = $2`,
        [input.id, input.from, input.state, input.code, input.now],
      );
      return changed === 1;
    },

    /** Ends every earlier attempt: a person replaced the token. */
    async supersede({ integrationId, now }: { integrationId: string; now: Date }): Promise<void> {
      await sql.run(
        `update rotation set state = 'superseded', ended_at = $2, next_look_at = null
         where integration_id = $1 and state in ('intent', 'committed', 'lost')`,
        [integrationId, now],
      );
    },
  };
}

/** The worker that owns an attempt, and its heartbeat. */
function createRotationOwners(sql: Sql) {
  return {
    /** Renews the heartbeat of the worker whose journal holds the answers. */
    async recordOwnerAlive(workerId: string): Promise<void> {
      await sql.run(
        `update rotation set owner_seen_at = now() where worker_id = $1 and state in ('intent', 'committed')`,
        [workerId],
      );
    },

    /** True when the owner of this attempt has sent no heartbeat for this long, by the database clock. */
    async ownerIsGone({ id, forMs }: { id: string; forMs: number }): Promise<boolean> {
      const row = await sql.first<{ gone: boolean }>(
        `select owner_seen_at < now() - $2 * interval '1 millisecond' as gone from rotation where id = $1`,
        [id, forMs],
      );
      return row?.gone ?? false;
    },

    /** Transfers the attempts of a dead worker. @returns the integrations to wake */
    async adopt({ from, to }: { from: string; to: string }): Promise<string[]> {
      const rows = await sql.rows<{ integration_id: string }>(
        `update rotation set worker_id = $2, owner_seen_at = now(), next_look_at = least(next_look_at, now())
         where worker_id = $1 and state in ('intent', 'committed') returning integration_id`,
        [from, to],
      );
      return rows.map((row) => row.integration_id);
    },
  };
}
