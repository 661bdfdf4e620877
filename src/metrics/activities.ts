import type { Registry } from '@prometheus-io/client';
import { Counter, Gauge, Histogram } from '@prometheus-io/client';
import { CHANNEL_KINDS } from '../domain/channel.ts';
import type { ScannerRun } from '../domain/scan.ts';

/** A scan whose row became final. Times in ms; `null` when it did not reach that step. */
export interface EndedScan {
  status: 'succeeded' | 'failed' | 'canceled';
  outcome: string | null;
  cause: string | null;
  waitedMs: number | null;
  tookMs: number | null;
  cloneMs: number | null;
  cloneBytes: number | null;
  runs: readonly Pick<ScannerRun, 'name' | 'status' | 'durationMs'>[];
}

/** Metrics of a worker. */
export interface ActivityMetrics {
  /** `outcome` is `done`, `canceled` or the code of the failure. */
  activityEnded(ended: { activity: string; outcome: string; durationMs: number }): void;
  scanEnded(scan: EndedScan): void;
  /** One round of the outbox dispatcher; `sent` null = the round failed. */
  dispatched(pass: { sent: number | null }): void;
  /** One delivery attempt. */
  delivered(attempt: { channel: string; outcome: 'sent' | 'failed' | 'given_up' }): void;
  /** One run of reconcile, with the number of repairs by kind. */
  reconciled(repairs: Readonly<Record<string, number>>): void;
}

const WORK_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1_800];
const WAIT_SECONDS = [0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];

/** Labels contain only codes and names of Secu, never data of a repository. */
export function createActivityMetrics(registry: Registry): ActivityMetrics {
  const activityEnded = activityMetrics(registry);
  const scanEnded = scanMetrics(registry);
  return { activityEnded, scanEnded, ...housekeepingMetrics(registry) };
}

function activityMetrics(registry: Registry): ActivityMetrics['activityEnded'] {
  const registers = [registry];
  const ended = new Counter({
    name: 'secu_activities_total',
    help: 'Attempts of activities that ended, by activity and outcome (done, canceled, or the code of the failure).',
    labelNames: ['activity', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'secu_activity_duration_seconds',
    help: 'How long an attempt of an activity took.',
    labelNames: ['activity'],
    buckets: WORK_SECONDS,
    registers,
  });
  return ({ activity, outcome, durationMs }) => {
    ended.inc({ activity, outcome });
    durations.observe({ activity }, durationMs / 1_000);
  };
}

function scanMetrics(registry: Registry): ActivityMetrics['scanEnded'] {
  const registers = [registry];
  const ended = new Counter({
    name: 'secu_scans_ended_total',
    help: 'Scans that ended, by status, outcome (of those that succeeded) and cause (of the others). One that was canceled while it waited is not in it.',
    labelNames: ['status', 'outcome', 'cause'],
    registers,
  });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers });
  const waits = histogram(
    'secu_scan_wait_seconds',
    'From the queue to the first attempt, of scans that ended.',
    WAIT_SECONDS,
  );
  const durations = histogram(
    'secu_scan_duration_seconds',
    'From the first attempt to the end of a scan.',
    WORK_SECONDS,
  );
  const clones = histogram('secu_clone_duration_seconds', 'How long a clone took.', WORK_SECONDS);
  const cloned = new Counter({ name: 'secu_clone_bytes_total', help: 'Bytes of clones.', registers });
  const scanners = new Histogram({
    name: 'secu_scanner_duration_seconds',
    help: 'How long one scanner took over one repository, by scanner and how it ended.',
    labelNames: ['scanner', 'status'],
    buckets: WORK_SECONDS,
    registers,
  });
  return (scan) => {
    ended.inc({ status: scan.status, outcome: scan.outcome ?? '', cause: scan.cause ?? '' });
    if (scan.waitedMs !== null) waits.observe(scan.waitedMs / 1_000);
    if (scan.tookMs !== null) durations.observe(scan.tookMs / 1_000);
    if (scan.cloneMs !== null) clones.observe(scan.cloneMs / 1_000);
    cloned.inc(scan.cloneBytes ?? 0);
    for (const { name, status, durationMs } of scan.runs)
      scanners.observe({ scanner: name, status }, durationMs / 1_000);
  };
}

function housekeepingMetrics(
  registry: Registry,
): Pick<ActivityMetrics, 'dispatched' | 'delivered' | 'reconciled'> {
  const registers = [registry];
  const passes = new Counter({
    name: 'secu_dispatcher_passes_total',
    help: 'Looks of the dispatcher for wakes that wait, by whether it could look and send.',
    labelNames: ['outcome'],
    registers,
  });
  const sent = new Counter({
    name: 'secu_dispatcher_wakes_sent_total',
    help: 'Wakes that their writers could not send and the dispatcher did.',
    registers,
  });
  const deliveries = new Counter({
    name: 'secu_deliveries_total',
    help: 'Delivery attempts by channel kind and outcome: sent, failed (will be retried), given_up.',
    labelNames: ['channel', 'outcome'],
    registers,
  });
  const sweeps = new Counter({
    name: 'secu_reconcile_runs_total',
    help: 'Completed runs of reconcile.',
    registers,
  });
  const repairs = new Counter({
    name: 'secu_reconcile_repairs_total',
    help: 'What reconcile repaired, by kind.',
    labelNames: ['repair'],
    registers,
  });
  const lastSweep = new Gauge({
    name: 'secu_reconcile_last_run_timestamp_seconds',
    help: 'When this worker last ended a sweep of reconcile; 0: not yet.',
    registers,
  });
  // start at zero, so that the first failure shows as an increase
  for (const outcome of ['ok', 'failed']) passes.inc({ outcome }, 0);
  for (const channel of CHANNEL_KINDS)
    for (const outcome of ['sent', 'failed', 'given_up']) deliveries.inc({ channel, outcome }, 0);
  return {
    dispatched(pass) {
      passes.inc({ outcome: pass.sent === null ? 'failed' : 'ok' });
      sent.inc(pass.sent ?? 0);
    },
    delivered: (attempt) => deliveries.inc(attempt),
    reconciled(counts) {
      sweeps.inc();
      for (const [repair, count] of Object.entries(counts)) repairs.inc({ repair }, count);
      lastSweep.setToCurrentTime();
    },
  };
}
