import type { UserRole } from '../../domain/user.ts';
import { SESSION_IDLE_MS, SESSION_MAX_MS } from '../../domain/user.ts';
import { newId } from '../new-id.ts';
import { dateOf } from '../rows.ts';
import type { Sql } from '../sql.ts';

/** A valid session with its user and their current role. */
export interface SessionView {
  id: string;
  userId: string;
  username: string;
  role: UserRole;
  createdAt: Date;
  seenAt: Date;
}

interface SessionRow {
  id: string;
  user_id: string;
  username: string;
  role: UserRole;
  created_at: string;
  seen_at: string;
}

const NOTED_EVERY_MS = 60_000;

export function createSessionStore(sql: Sql) {
  const live = async (condition: string, params: readonly unknown[], now: Date) => {
    const row = await sql.first<SessionRow>(
      `select s.id, s.user_id, u.username, u.role, s.created_at, s.seen_at
       from app_session s join app_user u on u.id = s.user_id
       where ${condition} and s.created_at > $2 and s.seen_at > $3`,
      [...params, oldest(now, SESSION_MAX_MS), oldest(now, SESSION_IDLE_MS)],
    );
    return row === null ? null : viewOf(row);
  };
  return {
    async add(input: { userId: string; hash: string; address: string; now: Date }): Promise<string> {
      const id = newId('session');
      await sql.run(
        `insert into app_session (id, user_id, hash, address, created_at, seen_at) values ($1, $2, $3, $4, $5, $5)`,
        [id, input.userId, input.hash, input.address, input.now],
      );
      return id;
    },

    /** The valid session with this hash; this extends it. */
    async use({ hash, now }: { hash: string; now: Date }): Promise<SessionView | null> {
      const session = await live('s.hash = $1', [hash], now);
      if (session === null || now.getTime() - session.seenAt.getTime() < NOTED_EVERY_MS) return session;
      await sql.run(`update app_session set seen_at = $2 where id = $1 and seen_at < $2`, [session.id, now]);
      return { ...session, seenAt: now };
    },

    /** The same by id, without extending it. */
    find: ({ id, now }: { id: string; now: Date }): Promise<SessionView | null> =>
      live('s.id = $1', [id], now),

    /** Ends the previous session at a new sign-in. */
    async endByHash(hash: string): Promise<void> {
      await sql.run(`delete from app_session where hash = $1`, [hash]);
    },

    async end(id: string): Promise<boolean> {
      return (await sql.run(`delete from app_session where id = $1`, [id])) === 1;
    },

    /** Ends all sessions of a user. @returns how many */
    async endAllOf(userId: string): Promise<number> {
      return sql.run(`delete from app_session where user_id = $1`, [userId]);
    },

    async removeEnded(now: Date): Promise<number> {
      return sql.run(`delete from app_session where created_at <= $1 or seen_at <= $2`, [
        oldest(now, SESSION_MAX_MS),
        oldest(now, SESSION_IDLE_MS),
      ]);
    },
  };
}

function oldest(now: Date, ageMs: number): Date {
  return new Date(now.getTime() - ageMs);
}

function viewOf(row: SessionRow): SessionView {
  return {
    id: row.id,
    userId: row.user_id,
    username: row.username,
    role: row.role,
    createdAt: dateOf(row.created_at),
    seenAt: dateOf(row.seen_at),
  };
}
