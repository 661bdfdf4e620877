import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

export interface IdempotencyEntry {
  bodyHash: string;
  /** `null` while the first request is in flight. */
  status: number | null;
  response: unknown;
  location: string | null;
}

/** Keys of requests that must not act twice, per principal and route, kept 24 h. */
export function createIdempotencyStore(sql: Sql) {
  return {
    /** Claims a key. @returns the existing entry; `null` when this request is the first */
    async claim(input: {
      principal: string;
      route: string;
      key: string;
      bodyHash: string;
      now: Date;
    }): Promise<IdempotencyEntry | null> {
      await sql.run(
        `delete from idempotency_key where principal = $1 and route = $2 and key = $3
           and (created_at < $4::timestamptz - interval '24 hours' or (status is null and created_at < $4::timestamptz - interval '2 minutes'))`,
        [input.principal, input.route, input.key, input.now],
      );
      const added = await sql.run(
        `insert into idempotency_key (principal, route, key, body_hash, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
        [input.principal, input.route, input.key, input.bodyHash, input.now],
      );
      if (added === 1) return null;
      return sql.first(
        `select body_hash as "bodyHash", status, response, location from idempotency_key
         where principal = $1 and route = $2 and key = $3`,
        [input.principal, input.route, input.key],
      );
    },

    async complete(input: {
      principal: string;
      route: string;
      key: string;
      status: number;
      response: unknown;
      location: string | null;
    }): Promise<void> {
      await sql.run(
        `update idempotency_key set status = $4, response = $5, location = $6 where principal = $1 and route = $2 and key = $3`,
        [input.principal, input.route, input.key, input.status, jsonText(input.response), input.location],
      );
    },

    /** Releases the key of a failed request, so that it can be retried. */
    async release(input: { principal: string; route: string; key: string }): Promise<void> {
      await sql.run(`delete from idempotency_key where principal = $1 and route = $2 and key = $3`, [
        input.principal,
        input.route,
        input.key,
      ]);
    },

    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(`delete from idempotency_key where created_at < $1`, [before]);
    },
  };
}
