import { Migration } from '@mikro-orm/migrations';

export const SCAN_COVERAGE_STATEMENTS = [
  // what a scan covered, and why its result is not complete
  `alter table "scan" add column "refs" jsonb not null default '[]', add column "incomplete_because" jsonb not null default '[]'`,
];

export class Migration0003ScanCoverage extends Migration {
  override up(): void {
    for (const statement of SCAN_COVERAGE_STATEMENTS) this.addSql(statement);
  }
}
