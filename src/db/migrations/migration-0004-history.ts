import { Migration } from '@mikro-orm/migrations';

export const HISTORY_STATEMENTS = [
  // how much of the history is scanned, in which branches; null = as the installation's setting says
  `alter table "integration" add column "history" varchar(255) null,
     add column "branches" jsonb not null default '{"mode":"default","globs":[]}'`,
  // the rules under which the history was read, and why it could not be read, or not in full
  `alter table "repository" add column "history_rules" text null, add column "history_cause" varchar(255) null,
     add column "history_read_at" timestamptz null`,
  // the newest commit of each branch whose history was read
  `create table "scanned_ref" (
    "repository_id" varchar(255) not null,
    "name" text not null,
    "commit" varchar(255) not null,
    "scanned_at" timestamptz not null,
    primary key ("repository_id", "name"))`,
  `alter table "scanned_ref" add foreign key (repository_id) references repository (id) on delete cascade`,
  // the commit that introduced a finding, and since when it is at the head, or no longer
  `alter table "finding" add column "introduced_commit" varchar(255) null, add column "introduced_author" text null,
     add column "introduced_at" timestamptz null, add column "head_changed_at" timestamptz null`,
];

export class Migration0004History extends Migration {
  override up(): void {
    for (const statement of HISTORY_STATEMENTS) this.addSql(statement);
  }
}
