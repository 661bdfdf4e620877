import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { Sql } from '../sql.ts';
import { createSql } from '../sql.ts';
import { createApiKeyStore } from './api-keys.ts';
import { createChannelStore } from './channels.ts';
import { createCommandStore } from './commands.ts';
import { createCredentialStore } from './credentials.ts';
import { createDeliveryStore } from './deliveries.ts';
import { createEventStore } from './events.ts';
import { createFindingViewStore } from './finding-view.ts';
import { createFindingStore } from './findings.ts';
import { createHistoryStore } from './histories.ts';
import { createHookStore } from './hooks.ts';
import { createIdempotencyStore } from './idempotency.ts';
import { createIntegrationViewStore } from './integration-view.ts';
import { createIntegrationStore } from './integrations.ts';
import { createKeyStore } from './keys.ts';
import { createListingStore } from './listing.ts';
import { createMetricsStore } from './metrics.ts';
import { createOutboxStore } from './outbox.ts';
import { createOverviewStore } from './overview.ts';
import { createRepositoryStore } from './repositories.ts';
import { createRotationStore } from './rotations.ts';
import { createScanViewStore } from './scan-view.ts';
import { createScanStore } from './scans.ts';
import { createSessionStore } from './sessions.ts';
import { createSetupCodeStore } from './setup-codes.ts';
import { createSignInTryStore } from './sign-in-tries.ts';
import { createSyncStore } from './syncs.ts';
import { createTriageStore } from './triage.ts';
import { createUserStore } from './users.ts';
import { createWorkerReportStore } from './worker-reports.ts';

/** All stores over one entity manager, so that within a transaction everything uses it. */
export function createStores(em: () => SqlEntityManager) {
  const sql: Sql = createSql(em);
  const both = { em, sql };
  return {
    apiKeys: createApiKeyStore(both),
    channels: createChannelStore(both),
    commands: createCommandStore(sql),
    credentials: createCredentialStore(both),
    deliveries: createDeliveryStore(sql),
    events: createEventStore(sql),
    findings: createFindingStore(sql),
    findingViews: createFindingViewStore(sql),
    histories: createHistoryStore(sql),
    hooks: createHookStore(sql),
    idempotency: createIdempotencyStore(sql),
    integrations: createIntegrationStore(both),
    integrationViews: createIntegrationViewStore(sql),
    keys: createKeyStore(sql),
    listing: createListingStore(sql),
    metrics: createMetricsStore(sql),
    outbox: createOutboxStore(sql),
    overview: createOverviewStore(sql),
    repositories: createRepositoryStore(both),
    rotations: createRotationStore(both),
    scans: createScanStore(both),
    scanViews: createScanViewStore(sql),
    sessions: createSessionStore(sql),
    setupCodes: createSetupCodeStore(sql),
    signInTries: createSignInTryStore(sql),
    syncs: createSyncStore(both),
    triage: createTriageStore(sql),
    users: createUserStore(sql),
    workerReports: createWorkerReportStore(sql),
  };
}

export type Stores = ReturnType<typeof createStores>;
