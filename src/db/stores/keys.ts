import type { Sql } from '../sql.ts';

/** The key id of every ciphertext. */
const SEALED = `select key_id from credential where key_id is not null union all select key_id from data_key
  union all select key_id from hook_receiver
  union all select url_key_id from channel where url_key_id is not null
  union all select signing_key_id from channel where signing_key_id is not null`;

/** Sealed data keys and the check values of the key ring. */
export function createKeyStore(sql: Sql) {
  return {
    async dataKey(purpose: string): Promise<{ sealed: Buffer; keyId: string } | null> {
      return sql.first(`select sealed, key_id as "keyId" from data_key where purpose = $1`, [purpose]);
    },

    /** Stores the first key only: two processes that start together agree on one. */
    async addDataKey(input: { purpose: string; sealed: Buffer; keyId: string; now: Date }): Promise<void> {
      await sql.run(
        `insert into data_key (purpose, sealed, key_id, created_at) values ($1, $2, $3, $4) on conflict do nothing`,
        [input.purpose, input.sealed, input.keyId, input.now],
      );
    },

    async checks(): Promise<{ keyId: string; sealed: Buffer }[]> {
      return sql.rows(`select key_id as "keyId", sealed from key_check`);
    },

    async addCheck(input: { keyId: string; sealed: Buffer; now: Date }): Promise<void> {
      await sql.run(
        `insert into key_check (key_id, sealed, created_at) values ($1, $2, $3) on conflict do nothing`,
        [input.keyId, input.sealed, input.now],
      );
    },

    /** Every key id that a sealed value needs. */
    async idsInUse(): Promise<string[]> {
      const rows = await sql.rows<{ key_id: string }>(`select distinct key_id from (${SEALED}) k`);
      return rows.map((row) => row.key_id);
    },

    /** How many ciphertexts use each key id. */
    async uses(): Promise<{ keyId: string; uses: number }[]> {
      return sql.rows(
        `select key_id as "keyId", count(*)::int as uses from
           (${SEALED}) k group by key_id`,
      );
    },
  };
}
