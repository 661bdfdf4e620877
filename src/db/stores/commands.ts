import type { CommandKind } from '../entities/integration.ts';
import { newId } from '../new-id.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

export interface CommandRow {
  id: string;
  kind: CommandKind;
  payload: Record<string, unknown>;
  state: 'queued' | 'claimed' | 'done';
  result: Record<string, unknown> | null;
  requestId: string | null;
}

const COLUMNS = 'id, kind, payload, state, result, request_id as "requestId"';

/** What people asked an integration to do. Claimed and finished by compare-and-swap: nothing runs twice. */
export function createCommandStore(sql: Sql) {
  return {
    async add(input: {
      integrationId: string;
      kind: CommandKind;
      payload?: Record<string, unknown>;
      /** Of the request that gives it. */
      requestId?: string;
      now: Date;
    }): Promise<string> {
      const id = newId('command');
      await sql.run(
        `insert into command (id, integration_id, kind, payload, state, created_at, request_id) values ($1, $2, $3, $4, 'queued', $5, $6)`,
        [
          id,
          input.integrationId,
          input.kind,
          jsonText(input.payload ?? {}),
          input.now,
          input.requestId ?? null,
        ],
      );
      return id;
    },

    /** The oldest unfinished command, claimed: a second claim by the same workflow finds it again after a crash. */
    async claimOldest({
      integrationId,
      now,
    }: {
      integrationId: string;
      now: Date;
    }): Promise<CommandRow | null> {
      return sql.first<CommandRow>(
        `update command set state = 'claimed', claimed_at = coalesce(claimed_at, $2)
         where id = (select id from command where integration_id = $1 and state <> 'done' order by id limit 1)
         returning ${COLUMNS}`,
        [integrationId, now],
      );
    },

    /** @returns false when it was finished before */
    async finish(input: { id: string; result: Record<string, unknown>; now: Date }): Promise<boolean> {
      const changed = await sql.run(
        `update command set state = 'done', done_at = $3, result = $2 where id = $1 and state <> 'done'`,
        [input.id, jsonText(input.result), input.now],
      );
      return changed === 1;
    },

    /** Integrations where a command waits that was given before this moment. */
    async integrationsWaiting(before: Date): Promise<string[]> {
      const rows = await sql.rows<{ integration_id: string }>(
        `select distinct integration_id from command where state <> 'done' and created_at < $1`,
        [before],
      );
      return rows.map((row) => row.integration_id);
    },

    /** One of this kind that is not finished yet: asking again joins it. */
    async openOf(input: { integrationId: string; kind: CommandKind }): Promise<string | null> {
      const row = await sql.first<{ id: string }>(
        `select id from command where integration_id = $1 and kind = $2 and state <> 'done' order by id limit 1`,
        [input.integrationId, input.kind],
      );
      return row?.id ?? null;
    },

    async find(id: string): Promise<CommandRow | null> {
      return sql.first<CommandRow>(`select ${COLUMNS} from command where id = $1`, [id]);
    },
  };
}
