import type { FindingStatus } from '../../domain/finding.ts';
import type { Triage } from '../entities/scan.ts';
import { numbered } from '../list-query.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';
import type { FindingFilter } from './finding-view.ts';
import { FINDING_FROM, findingConditions } from './finding-view.ts';

/** Triaged findings of one repository. */
export interface Triaged {
  integrationId: string;
  repositoryId: string;
  fullPath: string;
  findingIds: string[];
}

/** The findings: these ids, or all matches of a filter. */
export type TriageTarget = { ids: readonly string[] } | { filter: FindingFilter };

export function createTriageStore(sql: Sql) {
  return {
    /**
     * Ignores open findings, changes the reason of ignored ones, or reopens them. Fixed and removed findings do not
     * change: the next scan decides about them. Rows are locked in id order, so that two calls never deadlock.
     */
    async set(target: TriageTarget, triage: Triage | null): Promise<Triaged[]> {
      const { text, params } = numbered([
        ...('ids' in target
          ? [{ text: 'f.id = any(?::text[])', params: [target.ids] }]
          : findingConditions(target.filter)),
        {
          text: 'f.status = any(?::text[])',
          params: [triage === null ? ['ignored'] : ['open', 'ignored']],
        },
      ]);
      const status: FindingStatus = triage === null ? 'open' : 'ignored';
      return writeTriage(sql, {
        chosen: `select f.id, r.full_path ${FINDING_FROM} where ${text} order by f.id for update of f`,
        params,
        status,
        triage,
      });
    },

    /** Reopens findings whose `until` date has passed. */
    async reopenDue(now: Date): Promise<Triaged[]> {
      return writeTriage(sql, {
        chosen: `select f.id, r.full_path ${FINDING_FROM}
          where f.status = 'ignored' and (f.triage->>'until')::date <= ($1::timestamptz at time zone 'UTC')::date
          order by f.id for update of f`,
        params: [now],
        status: 'open',
        triage: null,
      });
    },
  };
}

/** Writes status and triage of the chosen findings, and the counters of their repositories. */
async function writeTriage(
  sql: Sql,
  input: {
    chosen: string;
    params: readonly unknown[];
    status: FindingStatus;
    triage: Triage | null;
  },
): Promise<Triaged[]> {
  const next = input.params.length;
  const triaged = await sql.rows<Triaged>(
    `with chosen as (${input.chosen}),
     written as (
       update finding f set status = $${next + 1}, triage = $${next + 2}::jsonb from chosen where f.id = chosen.id
       returning f.id, f.integration_id, f.repository_id, chosen.full_path)
     select integration_id as "integrationId", repository_id as "repositoryId", full_path as "fullPath",
       array_agg(id order by id) as "findingIds"
     from written group by 1, 2, 3 order by 2`,
    [...input.params, input.status, input.triage === null ? null : jsonText(input.triage)],
  );
  await sql.run(
    `update repository r set open_critical = coalesce(n.critical, 0), open_high = coalesce(n.high, 0),
       open_medium = coalesce(n.medium, 0), open_low = coalesce(n.low, 0)
     from unnest($1::text[]) as t (id) left join (
       select repository_id, count(*) filter (where severity = 'critical') as critical,
         count(*) filter (where severity = 'high') as high, count(*) filter (where severity = 'medium') as medium,
         count(*) filter (where severity = 'low') as low
       from finding where repository_id = any($1::text[]) and status = 'open' group by 1) n on n.repository_id = t.id
     where r.id = t.id`,
    [triaged.map(({ repositoryId }) => repositoryId)],
  );
  return triaged;
}
