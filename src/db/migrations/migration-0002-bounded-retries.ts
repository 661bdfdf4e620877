import { Migration } from '@mikro-orm/migrations';

export const BOUNDED_RETRIES_STATEMENTS = [
  // how often a scan went back to its queue, and when it may be taken again
  `alter table "scan" add column "requeues" int not null default 0, add column "next_try_at" timestamptz null`,
  // how many verifications failing scans caused, and since when these are counted
  `alter table "integration" add column "prompted_checks" int not null default 0, add column "prompted_since" timestamptz null`,
  // items of a listing that GitLab did not serve in a readable form
  `alter table "sync_run" add column "unreadable" jsonb not null default '[]'`,
  // events of one scan that share one message
  `alter table "delivery" add column "events" int not null default 1`,
  // the PostgreSQL cluster whose transaction ids the events carry
  `create table "event_cluster" ("id" varchar(255) not null, primary key ("id"))`,
];

export class Migration0002BoundedRetries extends Migration {
  override up(): void {
    for (const statement of BOUNDED_RETRIES_STATEMENTS) this.addSql(statement);
  }
}
