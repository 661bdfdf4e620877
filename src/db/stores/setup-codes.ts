import type { Sql } from '../sql.ts';

/** One-time codes for creating the first administrator; only hashes are stored. */
export function createSetupCodeStore(sql: Sql) {
  return {
    /** Replaces every earlier code. */
    async replace({ hash, expiresAt }: { hash: string; expiresAt: Date }): Promise<void> {
      await sql.run(`delete from setup_code`);
      await sql.run(`insert into setup_code (hash, expires_at) values ($1, $2)`, [hash, expiresAt]);
    },

    async isValid({ hash, now }: { hash: string; now: Date }): Promise<boolean> {
      const row = await sql.first(`select 1 from setup_code where hash = $1 and expires_at > $2`, [
        hash,
        now,
      ]);
      return row !== null;
    },

    /** Consumes the code. Of two requests with the same code, only one gets `true`. */
    async take({ hash, now }: { hash: string; now: Date }): Promise<boolean> {
      return (await sql.run(`delete from setup_code where hash = $1 and expires_at > $2`, [hash, now])) === 1;
    },

    async removeAll(): Promise<void> {
      await sql.run(`delete from setup_code`);
    },
  };
}
