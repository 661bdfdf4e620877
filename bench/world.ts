import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '@prometheus-io/client';
import pg from 'pg';
import type { GitlabDeps } from '../src/activities/deps.ts';
import { openDatabase } from '../src/db/database.ts';
import { newId } from '../src/db/new-id.ts';
import { DEFAULT_FILTERS } from '../src/domain/integration.ts';
import type { Starters } from '../src/domain/ports.ts';
import { Secret } from '../src/domain/secret.ts';
import { createGitRemote } from '../src/git/remote.ts';
import { createGitlabClient } from '../src/gitlab/client.ts';
import { createPacer } from '../src/gitlab/pacer.ts';
import { createLogger } from '../src/log/logger.ts';
import { openDataKey } from '../src/main/keys.ts';
import { createActivityMetrics } from '../src/metrics/activities.ts';
import type { OutboundPolicy } from '../src/outbound/policy.ts';
import { createOutboundPolicy } from '../src/outbound/policy.ts';
import { newKeyLine, parseKeyRing } from '../src/vault/key-ring.ts';
import { createVault, keyedHash } from '../src/vault/vault.ts';

export interface BenchWorld {
  deps: GitlabDeps;
  addIntegration(input: { baseUrl: string; token: string }): Promise<string>;
  /** Stores the current version of every repository row. */
  noteVersions(): Promise<void>;
  /** Counts the rows with another version since then. */
  rewritten(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Everything that a listing needs except Temporal, on a migrated database. The host of `baseUrl` resolves to
 * loopback.
 */
export async function openBenchWorld(input: {
  databaseUrl: string;
  baseUrl: string;
  perSecond: number;
}): Promise<BenchWorld> {
  const database = await openDatabase({ url: input.databaseUrl, poolMax: 20 });
  const sql = new pg.Pool({ connectionString: input.databaseUrl, max: 1 });
  const vault = createVault({ keyRing: parseKeyRing(newKeyLine()), provider: 'forge', onSecret: () => {} });
  const policy = createOutboundPolicy({
    origins: [input.baseUrl],
    allowedNetworks: ['127.0.0.0/8'],
    ownListeners: [],
    lookup: async () => ['127.0.0.1'],
  });
  const deps = benchDeps({ database, vault, policy, perSecond: input.perSecond });
  return {
    deps,
    addIntegration: (about) => addIntegration(deps, about),
    async noteVersions() {
      await sql.query(
        'create unlogged table bench_version as select id, xmin::text as version from repository',
      );
    },
    async rewritten() {
      const { rows } = await sql.query<{ count: number }>(
        'select count(*)::int as count from repository r join bench_version v using (id) where r.xmin::text <> v.version',
      );
      return rows[0]?.count ?? 0;
    },
    async close() {
      await sql.end();
      await policy.close();
      await database.close();
    },
  };
}

function benchDeps(input: {
  database: GitlabDeps['database'];
  vault: GitlabDeps['vault'];
  policy: OutboundPolicy;
  perSecond: number;
}): GitlabDeps {
  const { database, vault, policy } = input;
  return {
    database,
    vault,
    starters: NOBODY,
    log: createLogger({ level: 'error', format: 'json' }),
    metrics: createActivityMetrics(new Registry()),
    settings: {
      expiryThresholds: [],
      verifyIntervalMs: 0,
      syncIntervalMs: 0,
      fullSyncIntervalMs: 0,
      quietHours: null,
      scanIntervalMs: 0,
      history: 'off',
      clones: 8,
      diskReserveBytes: 0,
      retentionMs: 0,
    },
    gitlab: createGitlabClient({
      policy,
      pacer: createPacer({ perSecond: input.perSecond }),
      userAgent: 'Secu/bench',
    }),
    git: createGitRemote({
      workFolder: join(tmpdir(), `secu-bench-${process.pid}`),
      pinFor: (url) => policy.pinFor(url),
      proxyFor: (url) => policy.proxyFor(url),
      clonesPerOrigin: 8,
      cloneTimeoutMs: 60_000,
      cloneMaxBytes: 1_000_000,
      headTimeoutMs: 10_000,
    }),
    rules: 'sha256:bench',
  };
}

/** Workflows are not measured here, so a wake does nothing. */
const NOBODY: Starters = {
  wakeIntegration: async () => {},
  wakeFleet: async () => {},
  cancelScan: async () => {},
  cancelAll: async () => {},
  getWorkflowState: async () => 'closed',
  terminate: async () => {},
  async *openIds() {},
};

async function addIntegration(
  { database, vault }: GitlabDeps,
  { baseUrl, token }: { baseUrl: string; token: string },
): Promise<string> {
  const now = new Date();
  const id = newId('integration');
  const credentialId = newId('credential');
  const secret = new Secret(token);
  const { record, keyId } = vault.seal({
    context: { table: 'credential', rowId: credentialId, version: 1 },
    secret,
  });
  const dataKey = await openDataKey({ vault, database, name: 'token' });
  await database.transaction(async (tx) => {
    await tx.integrations.create({
      id,
      name: id,
      baseUrl,
      filters: DEFAULT_FILTERS,
      autoRotate: { enabled: false, daysBefore: 14 },
      now,
    });
    await tx.credentials.add({
      id: credentialId,
      integrationId: id,
      version: 1,
      state: 'current',
      sealed: record,
      keyId,
      tokenHash: keyedHash({ dataKey, purpose: 'token', text: secret }),
      now,
    });
    await tx.integrations.change(id, { verdict: 'active' }, now);
  });
  return id;
}
