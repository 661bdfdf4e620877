import type { OutboxKind } from '../entities/integration.ts';
import type { Sql } from '../sql.ts';

export interface OutboxEntry {
  id: string;
  kind: OutboxKind;
  integrationId: string;
}

/**
 * Workflow wakes of committed transactions. The writer sends and removes them after its commit; the dispatcher
 * sends what is left.
 */
export function createOutboxStore(sql: Sql) {
  return {
    async add(entry: { kind: OutboxKind; integrationId: string; now: Date }): Promise<OutboxEntry> {
      const row = await sql.first<{ id: string }>(
        `insert into outbox (kind, integration_id, created_at) values ($1, $2, $3) returning id::text`,
        [entry.kind, entry.integrationId, entry.now],
      );
      if (row === null) throw new Error('insert returned nothing');
      return { id: row.id, kind: entry.kind, integrationId: entry.integrationId };
    },

    /** Entries older than `before`, oldest first. */
    async waiting(input: { before: Date; limit: number }): Promise<OutboxEntry[]> {
      return sql.rows<OutboxEntry>(
        `select id::text, kind, integration_id as "integrationId" from outbox where created_at <= $1 order by id limit $2`,
        [input.before, input.limit],
      );
    },

    async sent(ids: readonly string[]): Promise<void> {
      await sql.run(`delete from outbox where id = any($1::bigint[])`, [ids]);
    },
  };
}
