import { Migration } from '@mikro-orm/migrations';

export const HINTED_PROJECT_STATEMENTS = [
  // projects that a hook named: the next sync reads each of them, because a rename counts as no activity
  `create table "hinted_project" (
    "integration_id" varchar(255) not null,
    "gitlab_project_id" bigint not null,
    "hinted_at" timestamptz not null,
    primary key ("integration_id", "gitlab_project_id"))`,
  `alter table "hinted_project" add foreign key (integration_id) references integration (id) on delete cascade`,
];

export class Migration0007HintedProjects extends Migration {
  override up(): void {
    for (const statement of HINTED_PROJECT_STATEMENTS) this.addSql(statement);
  }
}
