import { Migration } from '@mikro-orm/migrations';

export const HOOK_STATEMENTS = [
  // one row per integration that receives webhooks: the sealed token, and what came. Apart from the integration, whose
  // row other transactions lock for longer
  `create table "hook_receiver" (
    "integration_id" varchar(255) not null,
    "sealed" bytea not null,
    "key_id" varchar(255) not null,
    "version" int not null,
    "last_at" timestamptz null,
    "window_started_at" timestamptz null,
    "window_hints" int not null,
    "sync_due_at" timestamptz null,
    "sync_started_at" timestamptz null,
    "created_at" timestamptz not null,
    primary key ("integration_id"))`,
  `alter table "hook_receiver" add foreign key (integration_id) references integration (id) on delete cascade`,
  // a hook arrived after the running attempt began: another scan follows
  `alter table "scan" add column "again" boolean not null default false`,
  // new commits that no hook announced
  `create index scan_polled_index on scan (integration_id, queued_at) where trigger in ('sync', 'schedule')`,
];

export class Migration0006Hooks extends Migration {
  override up(): void {
    for (const statement of HOOK_STATEMENTS) this.addSql(statement);
  }
}
