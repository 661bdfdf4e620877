import type { SealedSecret } from '../../domain/sealed-secret.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface SealedHookToken extends SealedSecret {
  version: number;
}

/** The receivers of webhooks: one row per integration with a hook token. */
export function createHookStore(sql: Sql) {
  return { ...createHookTokens(sql), ...createHookSyncs(sql), ...createHintedProjects(sql) };
}

function createHookTokens(sql: Sql) {
  return {
    /** The sealed hook token of an integration that is not removed. */
    async token(integrationId: string): Promise<SealedHookToken | null> {
      return sql.first<SealedHookToken>(
        `select h.key_id as "keyId", h.sealed as record, h.version from hook_receiver h
         join integration i on i.id = h.integration_id and i.removed_at is null where h.integration_id = $1`,
        [integrationId],
      );
    },

    /** Stores a token; an earlier one stops working. What was received before stays. */
    async setToken(input: { integrationId: string; token: SealedHookToken; now: Date }): Promise<void> {
      const { integrationId, token, now } = input;
      await sql.run(
        `insert into hook_receiver (integration_id, sealed, key_id, version, window_hints, created_at)
         values ($1, $2, $3, $4, 0, $5)
         on conflict (integration_id) do update
           set sealed = excluded.sealed, key_id = excluded.key_id, version = excluded.version`,
        [integrationId, token.record, token.keyId, token.version, now],
      );
    },

    /** Wipes the token and everything about received hooks. @returns false if there was none */
    async remove(integrationId: string): Promise<boolean> {
      return (await sql.run(`delete from hook_receiver where integration_id = $1`, [integrationId])) === 1;
    },

    /**
     * Records a received hook, and counts it in its minute.
     * @returns its number in the minute; `null` if the token was removed meanwhile
     */
    async receive({ integrationId, now }: { integrationId: string; now: Date }): Promise<number | null> {
      const row = await sql.first<{ hints: number }>(
        `update hook_receiver set last_at = greatest(last_at, $2),
           window_hints = case when window_started_at > $2::timestamptz - interval '1 minute' then window_hints + 1 else 1 end,
           window_started_at = case when window_started_at > $2::timestamptz - interval '1 minute' then window_started_at else $2 end
         where integration_id = $1 returning window_hints as hints`,
        [integrationId, now],
      );
      return row?.hints ?? null;
    },
  };
}

/** Syncs that hints ask for. */
function createHookSyncs(sql: Sql) {
  return {
    /**
     * Asks for a sync soon, at the earliest this long after the last one that hints asked for.
     * @returns false if one is due already, at about the same time or before
     */
    async requestSync(input: {
      integrationId: string;
      delayMs: number;
      minGapMs: number;
      now: Date;
    }): Promise<boolean> {
      const changed = await sql.run(
        `update hook_receiver h set sync_due_at = due.at
         from (select integration_id, greatest($2::timestamptz, sync_started_at + $3::float8 * interval '1 millisecond') as at
           from hook_receiver where integration_id = $1) due
         where h.integration_id = due.integration_id and (h.sync_due_at is null or h.sync_due_at > due.at + interval '1 second')`,
        [input.integrationId, new Date(input.now.getTime() + input.delayMs), input.minGapMs],
      );
      return changed === 1;
    },

    /** When hints ask for a sync; `null` = they do not. */
    async syncDueAt(integrationId: string): Promise<Date | null> {
      const row = await sql.first<{ at: string | null }>(
        `select sync_due_at as at from hook_receiver where integration_id = $1`,
        [integrationId],
      );
      return dateOrNull(row?.at ?? null);
    },

    /** Records that a sync begins, which covers every hint until now. */
    async syncStarted({ integrationId, now }: { integrationId: string; now: Date }): Promise<void> {
      await sql.run(
        `update hook_receiver set sync_due_at = null, sync_started_at = $2
         where integration_id = $1 and sync_due_at is not null`,
        [integrationId, now],
      );
    },
  };
}

/** The limit of projects that wait to be read one by one; beyond it, only the listing finds them. */
const MAX_HINTED_PROJECTS = 100;

/** Projects that hints named, for the next sync. */
function createHintedProjects(sql: Sql) {
  return {
    async hintProject(input: { integrationId: string; gitlabProjectId: number; now: Date }): Promise<void> {
      await sql.run(
        `insert into hinted_project as h (integration_id, gitlab_project_id, hinted_at)
         select $1::text, $2::bigint, $3::timestamptz where (select count(*) from hinted_project where integration_id = $1::text) < $4
         on conflict (integration_id, gitlab_project_id) do update set hinted_at = greatest(h.hinted_at, excluded.hinted_at)`,
        [input.integrationId, input.gitlabProjectId, input.now, MAX_HINTED_PROJECTS],
      );
    },

    async hintedProjects(integrationId: string): Promise<{ gitlabProjectId: number; hintedAt: Date }[]> {
      const rows = await sql.rows<{ id: number; hinted_at: string }>(
        `select gitlab_project_id::float8 as id, hinted_at from hinted_project where integration_id = $1
         order by gitlab_project_id`,
        [integrationId],
      );
      return rows.map(({ id, hinted_at }) => ({ gitlabProjectId: id, hintedAt: dateOf(hinted_at) }));
    },

    /** Removes hints that were read; one that was repeated meanwhile stays. */
    async forgetHinted(
      integrationId: string,
      read: readonly { gitlabProjectId: number; hintedAt: Date }[],
    ): Promise<void> {
      await sql.run(
        `delete from hinted_project h using unnest($2::bigint[], $3::timestamptz[]) as t (id, at)
         where h.integration_id = $1 and h.gitlab_project_id = t.id and h.hinted_at <= t.at`,
        [integrationId, read.map((each) => each.gitlabProjectId), read.map((each) => each.hintedAt)],
      );
    },
  };
}
