import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

export interface WorkerReport {
  /** Identity of the process, the same as in Temporal. */
  id: string;
  queues: string[];
  /** Metrics of the process in Prometheus text. */
  metrics: string;
}

/**
 * The metrics reports of running workers, renewed every few seconds. All times come from the database clock, so that
 * host clocks do not matter. The table is unlogged: nothing in it needs to survive a database crash.
 */
export function createWorkerReportStore(sql: Sql) {
  return {
    /** Renews the report of one worker and deletes old reports. */
    async put({ id, queues, metrics }: WorkerReport): Promise<void> {
      await sql.run(
        `with gone as (delete from worker_report where at < now() - interval '1 hour' and id <> $1)
         insert into worker_report (id, queues, metrics, at) values ($1, $2, $3, now())
         on conflict (id) do update set queues = excluded.queues, metrics = excluded.metrics, at = excluded.at`,
        [id, jsonText(queues), metrics],
      );
    },

    /** Deletes the report of a worker that stops. */
    async remove(id: string): Promise<void> {
      await sql.run('delete from worker_report where id = $1', [id]);
    },

    /** Reports up to this age. */
    async fresh({ withinMs }: { withinMs: number }): Promise<WorkerReport[]> {
      return sql.rows(
        `select id, queues, metrics from worker_report where at > now() - $1 * interval '1 millisecond' order by id`,
        [withinMs],
      );
    },
  };
}
