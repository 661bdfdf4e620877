import type { UserRole, UserSource } from '../../domain/user.ts';
import type { ListInput } from '../list-query.ts';
import { listPage } from '../list-query.ts';
import { newId } from '../new-id.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface UserView {
  id: string;
  username: string;
  role: UserRole;
  source: UserSource;
  createdAt: Date;
  lastSignInAt: Date | null;
}

interface UserRow {
  id: string;
  username: string;
  role: UserRole;
  source: UserSource;
  created_at: string;
  last_sign_in_at: string | null;
  sort_value: string;
}

const COLUMNS = 'u.id, u.username, u.role, u.source, u.created_at, u.last_sign_in_at';

/** A local account with a password, or one of single sign-on. */
export type NewUser = { username: string; role: UserRole; now: Date } & (
  | { source: 'local'; passwordHash: string; issuer?: never; subject?: never }
  | { source: 'oidc'; issuer: string; subject: string; passwordHash?: never }
);

export function createUserStore(sql: Sql) {
  return {
    ...createUserReads(sql),
    ...createUserChanges(sql),
    ...createUserLocks(sql),
  };
}

/** Finds and lists users. */
function createUserReads(sql: Sql) {
  const findWhere = async (condition: string, params: readonly unknown[]) => {
    const row = await sql.first<UserRow>(
      `select ${COLUMNS}, '' as sort_value from app_user u where ${condition}`,
      params,
    );
    return row === null ? null : viewOf(row);
  };

  return {
    find: (id: string): Promise<UserView | null> => findWhere('u.id = $1', [id]),

    findBySubject: (input: { issuer: string; subject: string }): Promise<UserView | null> =>
      findWhere(`u.source = 'oidc' and u.issuer = $1 and u.subject = $2`, [input.issuer, input.subject]),

    /** The local account with this name, case-insensitively. */
    async findForSignIn(username: string): Promise<(UserView & { passwordHash: string }) | null> {
      const row = await sql.first<UserRow & { password_hash: string }>(
        `select ${COLUMNS}, '' as sort_value, u.password_hash from app_user u
         where lower(u.username) = lower($1) and u.password_hash is not null`,
        [username],
      );
      return row === null ? null : { ...viewOf(row), passwordHash: row.password_hash };
    },

    async hasAdministrator(): Promise<boolean> {
      const row = await sql.first<{ there: boolean }>(
        `select exists (select 1 from app_user where role = 'admin') as there`,
      );
      return row?.there ?? false;
    },

    async list(list: ListInput): Promise<Page<UserView>> {
      return listPage<UserRow, UserView>({
        sql,
        select: `select ${COLUMNS} /*sort*/ from app_user u`,
        conditions: [],
        columns: { createdAt: { expression: 'u.id', cast: 'text' } },
        defaultSort: 'createdAt',
        idColumn: 'u.id',
        list,
        item: viewOf,
      });
    },
  };
}

/** Adds, changes and removes users. */
function createUserChanges(sql: Sql) {
  return {
    /** Creates a user. @returns the id; `null` when the name or the single sign-on subject exists */
    async add(input: NewUser): Promise<string | null> {
      const id = newId('user');
      const { issuer = null, subject = null, passwordHash = null } = input;
      const added = await sql.run(
        `insert into app_user (id, username, role, source, issuer, subject, password_hash, created_at, password_changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, case when $7::text is null then null else $8::timestamptz end)
         on conflict do nothing`,
        [id, input.username, input.role, input.source, issuer, subject, passwordHash, input.now],
      );
      return added === 1 ? id : null;
    },

    async setRole({ id, role }: { id: string; role: UserRole }): Promise<void> {
      await sql.run(`update app_user set role = $2 where id = $1`, [id, role]);
    },

    async setPassword(input: { id: string; passwordHash: string; now: Date }): Promise<void> {
      await sql.run(`update app_user set password_hash = $2, password_changed_at = $3 where id = $1`, [
        input.id,
        input.passwordHash,
        input.now,
      ]);
    },

    /** Replaces the hash by one of another cost. */
    async replaceHash({ id, passwordHash }: { id: string; passwordHash: string }): Promise<void> {
      await sql.run(`update app_user set password_hash = $2 where id = $1`, [id, passwordHash]);
    },

    async noteSignIn({ id, now }: { id: string; now: Date }): Promise<void> {
      await sql.run(`update app_user set last_sign_in_at = $2 where id = $1`, [id, now]);
    },

    /** Deletes the user and all sessions. */
    async remove(id: string): Promise<boolean> {
      return (await sql.run(`delete from app_user where id = $1`, [id])) === 1;
    },
  };
}

/** Checks that hold until the transaction ends. */
function createUserLocks(sql: Sql) {
  return {
    /** True when this is still the password hash. Locks the user for the rest of the transaction. */
    async holdsPassword({ id, passwordHash }: { id: string; passwordHash: string }): Promise<boolean> {
      const row = await sql.first(`select 1 from app_user where id = $1 and password_hash = $2 for update`, [
        id,
        passwordHash,
      ]);
      return row !== null;
    },

    /** Administrators, locked until the transaction ends: no other request can remove one meanwhile. */
    async lockAdministrators(): Promise<string[]> {
      const rows = await sql.rows<{ id: string }>(
        `select id from app_user where role = 'admin' order by id for update`,
      );
      return rows.map(({ id }) => id);
    },
  };
}

function viewOf(row: UserRow): UserView {
  return {
    id: row.id,
    username: row.username,
    role: row.role,
    source: row.source,
    createdAt: dateOf(row.created_at),
    lastSignInAt: dateOrNull(row.last_sign_in_at),
  };
}
