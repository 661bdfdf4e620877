import type { ThrottleRule } from '../../domain/user.ts';
import { dateOf } from '../rows.ts';
import type { Sql } from '../sql.ts';

/**
 * Sign-in attempts per account and per address, counted in the database so that all API processes share them. An attempt is
 * counted before it is checked: a hundred concurrent attempts count as a hundred.
 */
export function createSignInTryStore(sql: Sql) {
  return {
    /** Counts an attempt. @returns `null` when it is allowed, otherwise until when the subject is blocked */
    async begin(input: { subject: string; rule: ThrottleRule; now: Date }): Promise<Date | null> {
      const { subject, rule, now } = input;
      // pause after attempt n: none up to `freeAttempts`, then doubling
      const taken = await sql.run(
        `insert into sign_in_try as t (subject, tries, last_at, blocked_until) values ($1, 1, $2, $2)
         on conflict (subject) do update set
           tries = case when t.last_at < $3 then 1 else t.tries + 1 end,
           last_at = $2,
           blocked_until = case when t.last_at < $3 or t.tries < $4 then $2
             else $2::timestamptz + least($6::float8, $5::float8 * power(2, least(t.tries - $4, 30))) * interval '1 millisecond' end
         where t.blocked_until <= $2`,
        [
          subject,
          now,
          new Date(now.getTime() - rule.forgottenAfterMs),
          rule.freeAttempts,
          rule.firstPauseMs,
          rule.maxPauseMs,
        ],
      );
      if (taken === 1) return null;
      const row = await sql.first<{ blocked_until: string }>(
        `select blocked_until from sign_in_try where subject = $1`,
        [subject],
      );
      return row === null ? now : dateOf(row.blocked_until);
    },

    /** Removes a successful attempt from the count. A pause caused by other attempts stays. */
    async takeBack(subject: string): Promise<void> {
      await sql.run(`update sign_in_try set tries = tries - 1 where subject = $1 and tries > 0`, [subject]);
    },

    async forget(subject: string): Promise<void> {
      await sql.run(`delete from sign_in_try where subject = $1`, [subject]);
    },

    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(`delete from sign_in_try where last_at < $1 and blocked_until < $1`, [before]);
    },
  };
}
