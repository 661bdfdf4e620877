import { Gauge, Registry } from '@prometheus-io/client';
import type { IntegrationGauges, QueueGauges, RepositoryGauges } from '../../db/stores/metrics.ts';
import { QUEUED_AGES } from '../../db/stores/metrics.ts';
import { SEVERITIES } from '../../domain/finding.ts';
import { INTEGRATION_STATUSES, REACHABILITY_STATES } from '../../domain/integration.ts';
import { REPOSITORY_STATES } from '../../domain/repository.ts';
import type { ReadyChecks } from '../deps.ts';

/** Current rows and readiness checks. */
export interface Facts {
  now: Date;
  version: string;
  ready: ReadyChecks;
  integrations: readonly IntegrationGauges[];
  queues: QueueGauges;
  repositories: readonly RepositoryGauges[];
  /** Task queues of each worker that reported recently. */
  workers: readonly { queues: readonly string[] }[];
}

const WORKER_QUEUES = ['orchestration', 'gitlab', 'scan'];

/** The gauges in Prometheus text format, built for each call. */
export async function gaugesText(facts: Facts): Promise<string> {
  const registry = new Registry();
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge<string>({ name, help, labelNames: [...labelNames], registers: [registry] });
  gauge('secu_info', 'Running version; always 1.', ['version']).set({ version: facts.version }, 1);
  const ready = gauge('secu_ready', 'Checks of /readyz: 1 when ok.', ['check']);
  for (const [check, good] of Object.entries(facts.ready)) ready.set({ check }, good ? 1 : 0);
  const workers = gauge('secu_workers', 'Worker processes that reported in the last minute, by queue.', [
    'queue',
  ]);
  for (const queue of WORKER_QUEUES)
    workers.set({ queue }, facts.workers.filter(({ queues }) => queues.includes(queue)).length);
  integrationGauges(gauge, facts);
  queueGauges(gauge, facts.queues);
  repositoryGauges(gauge, facts.repositories);
  return registry.metrics();
}

type MakeGauge = (name: string, help: string, labelNames?: readonly string[]) => Gauge<string>;

function integrationGauges(gauge: MakeGauge, { integrations, now }: Facts): void {
  const info = gauge('secu_integration_info', 'Name of an integration, for joins; always 1.', [
    'integration',
    'name',
  ]);
  const status = gauge('secu_integration_status', '1 for the current status, 0 for all others.', [
    'integration',
    'status',
  ]);
  const reach = gauge(
    'secu_integration_reachability',
    '1 for the current reachability state of GitLab, 0 for all others.',
    ['integration', 'state'],
  );
  const of = (name: string, help: string) => gauge(name, help, ['integration']);
  const expires = of(
    'secu_token_expires_seconds',
    'Seconds until the token expires, negative afterwards. Absent when it never expires or the date is unknown.',
  );
  const verified = of(
    'secu_integration_last_verified_timestamp_seconds',
    'Time of the last verdict on the token.',
  );
  const synced = of('secu_integration_last_sync_timestamp_seconds', 'Time of the last complete listing.');
  const brake = of('secu_integration_brake_engaged', '1 while the brake holds back a listing.');
  for (const each of integrations) {
    const integration = each.id;
    info.set({ integration, name: each.name }, 1);
    for (const known of INTEGRATION_STATUSES)
      status.set({ integration, status: known }, each.status === known ? 1 : 0);
    for (const state of REACHABILITY_STATES)
      reach.set({ integration, state }, each.reachability === state ? 1 : 0);
    brake.set({ integration }, each.brakeEngaged ? 1 : 0);
    if (each.lastVerifiedSeconds !== null) verified.set({ integration }, each.lastVerifiedSeconds);
    if (each.lastSyncSeconds !== null) synced.set({ integration }, each.lastSyncSeconds);
    if (each.expiresOn !== null) {
      const deadMs = Date.parse(`${each.expiresOn}T00:00:00Z`);
      expires.set({ integration }, (deadMs - now.getTime()) / 1_000);
    }
  }
}

function queueGauges(gauge: MakeGauge, queues: QueueGauges): void {
  gauge('secu_commands_waiting', 'Open commands.').set(queues.commands);
  gauge('secu_commands_oldest_age_seconds', 'Age of the oldest; 0 when there is none.').set(
    queues.oldestCommandSeconds ?? 0,
  );
  gauge('secu_outbox_waiting', 'Workflow wakes not yet sent to Temporal.').set(queues.outbox);
  gauge('secu_outbox_oldest_age_seconds', 'Age of the oldest; 0 when there is none.').set(
    queues.oldestOutboxSeconds ?? 0,
  );
  gauge('secu_deliveries_waiting', 'Queued messages to channels.').set(queues.deliveries);
  gauge(
    'secu_deliveries_oldest_due_seconds',
    'How long the oldest queued message is overdue; 0 when none is.',
  ).set(queues.oldestDeliverySeconds ?? 0);
  gauge('secu_scans_running', 'Running scans.').set(queues.scansRunning);
  const queued = gauge('secu_scans_queued', 'Queued scans, by age.', ['age']);
  for (const [index, { name }] of QUEUED_AGES.entries())
    queued.set({ age: name }, queues.scansQueued[index] ?? 0);
  gauge(
    'secu_scans_queued_oldest_age_seconds',
    'Age of the oldest queued scan whose integration is active, reachable and not paused; 0 when there is none.',
  ).set(queues.oldestScanSeconds ?? 0);
  gauge('secu_scans_held_by_disk', 'Scans that wait because the disk is nearly full.').set(
    queues.scansHeldByDisk,
  );
}

function repositoryGauges(gauge: MakeGauge, byState: readonly RepositoryGauges[]): void {
  const repositories = gauge('secu_repositories', 'Repositories, by state.', ['state']);
  for (const state of REPOSITORY_STATES)
    repositories.set({ state }, byState.find((row) => row.state === state)?.repositories ?? 0);
  const active = byState.find((row) => row.state === 'active');
  gauge('secu_repositories_never_scanned', 'Active repositories without a finished scan.').set(
    active?.neverScanned ?? 0,
  );
  gauge('secu_repositories_scanned_24h', 'Active repositories scanned in the last 24 hours.').set(
    active?.scanned24h ?? 0,
  );
  const open = gauge('secu_findings_open', 'Open findings, by severity.', ['severity']);
  for (const severity of SEVERITIES)
    open.set(
      { severity },
      byState.reduce((sum, row) => sum + row[severity], 0),
    );
}
