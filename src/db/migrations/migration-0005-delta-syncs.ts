import { Migration } from '@mikro-orm/migrations';

export const DELTA_SYNC_STATEMENTS = [
  // null: a complete listing; otherwise only projects with activity since then
  `alter table "sync_run" add column "active_since" timestamptz null`,
  // the last complete listing; null makes the next sync a complete one. And how often this integration is synced now
  `alter table "integration" add column "last_full_sync_at" timestamptz null, add column "sync_pace_ms" int null`,
  `update integration set last_full_sync_at = last_sync_at`,
  // the repositories whose head was not checked for the longest time
  `create index repository_checked_index on repository (integration_id, checked_at) where state = 'active'`,
];

export class Migration0005DeltaSyncs extends Migration {
  override up(): void {
    for (const statement of DELTA_SYNC_STATEMENTS) this.addSql(statement);
  }
}
