import type { HistoryCause } from '../../domain/history.ts';
import type { BranchTip } from '../../domain/ports.ts';
import type { Sql } from '../sql.ts';

const RECORD_READ = `
with removed as (delete from scanned_ref where repository_id = $1 and name <> all($2::text[])),
stored as (
  insert into scanned_ref (repository_id, name, commit, scanned_at)
  select $1, name, commit, $4 from unnest($2::text[], $3::text[]) as t (name, commit)
  on conflict (repository_id, name) do update set commit = excluded.commit, scanned_at = excluded.scanned_at)
update repository set history_rules = $5, history_cause = $6, history_read_at = $4 where id = $1`;

/** How far the history of each repository was read. */
export function createHistoryStore(sql: Sql) {
  return {
    /** The newest commit of each branch whose history was read. */
    async readRefs(repositoryId: string): Promise<(BranchTip & { scannedAt: string })[]> {
      return sql.rows(
        `select name, commit, scanned_at as "scannedAt" from scanned_ref where repository_id = $1 order by name`,
        [repositoryId],
      );
    },

    /** Records that the history of exactly these branches was read, up to these commits. */
    async recordRead(input: {
      repositoryId: string;
      refs: readonly BranchTip[];
      /** The version of the rules under which the whole history was read; `null` = never. */
      rules: string | null;
      cause: HistoryCause | null;
      now: Date;
    }): Promise<void> {
      const names = input.refs.map(({ name }) => name);
      const commits = input.refs.map(({ commit }) => commit);
      await sql.run(RECORD_READ, [input.repositoryId, names, commits, input.now, input.rules, input.cause]);
    },

    /** Records that the history could not be read under the rules of the last scan. Forgets what was read before. */
    async recordFailure(input: { repositoryId: string; cause: HistoryCause; now: Date }): Promise<void> {
      await sql.run(
        `with removed as (delete from scanned_ref where repository_id = $1)
         update repository set history_rules = scanned_rules, history_cause = $2, history_read_at = $3 where id = $1`,
        [input.repositoryId, input.cause, input.now],
      );
    },
  };
}
