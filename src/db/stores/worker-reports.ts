import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

export interface WorkerReport {
  /** Identity of the process, as Temporal shows it too. */
  id: string;
  queues: string[];
  /** Metrics of the process in Prometheus text. */
  metrics: string;
}

/**
 * What each running worker says of itself, renewed every few seconds. All times are the database's own clock, so that
 * the clocks of hosts do not matter. Nothing of it must outlive a crash of the database: the table is unlogged.
 */
export function createWorkerReportStore(sql: Sql) {
  return {
    /** Renews the report of one worker, and forgets those that are long gone. */
    async put({ id, queues, metrics }: WorkerReport): Promise<void> {
      await sql.run(
        `with gone as (delete from worker_report where at < now() - interval '1 hour' and id <> $1)
         insert into worker_report (id, queues, metrics, at) values ($1, $2, $3, now())
         on conflict (id) do update set queues = excluded.queues, metrics = excluded.metrics, at = excluded.at`,
        [id, jsonText(queues), metrics],
      );
    },

    /** A worker that stops takes its report with it. */
    async remove(id: string): Promise<void> {
      await sql.run('delete from worker_report where id = $1', [id]);
    },

    /** Reports that are at most this old. */
    async fresh({ withinMs }: { withinMs: number }): Promise<WorkerReport[]> {
      return sql.rows(
        `select id, queues, metrics from worker_report where at > now() - $1 * interval '1 millisecond' order by id`,
        [withinMs],
      );
    },
  };
}
