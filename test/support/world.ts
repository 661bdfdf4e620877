import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import type { Simulator, SimulatorOptions } from '../../simulator/index.ts';
import { createSimulator, defaultRecipes } from '../../simulator/index.ts';
import type { ActivitySettings } from '../../src/activities/deps.ts';
import type { Database } from '../../src/db/database.ts';
import type { GitRemote, Scanners, Starters } from '../../src/domain/ports.ts';
import { TEMPORAL_NAMESPACE } from '../../src/embedded/temporal-server.ts';
import { createGitRemote } from '../../src/git/remote.ts';
import type { GitlabClient } from '../../src/gitlab/client.ts';
import { createGitlabClient } from '../../src/gitlab/client.ts';
import { createPacer } from '../../src/gitlab/pacer.ts';
import type { Log } from '../../src/log/logger.ts';
import { createLogger } from '../../src/log/logger.ts';
import type { Scrubber } from '../../src/log/scrubber.ts';
import { createScrubber } from '../../src/log/scrubber.ts';
import { openDataKey } from '../../src/main/keys.ts';
import type { OutboundPolicy } from '../../src/outbound/policy.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';
import { createTemporalClient } from '../../src/temporal/connection.ts';
import { createStarters } from '../../src/temporal/starters.ts';
import { newKeyLine, parseKeyRing } from '../../src/vault/key-ring.ts';
import type { DataKey, Vault } from '../../src/vault/vault.ts';
import { createVault } from '../../src/vault/vault.ts';
import type { TestDatabase } from './database.ts';
import { createTestDatabase } from './database.ts';
import { createFakeScanners } from './fake-scanners.ts';
import { testServerAddress } from './server-addresses.ts';

export interface TestWorldOptions {
  /** Overrides {@link TEST_SETTINGS}. */
  settings?: Partial<ActivitySettings>;
  /** Overrides the defaults: all recipes except the large and the hostile ones. */
  simulator?: Partial<SimulatorOptions>;
  git?: (parts: { policy: OutboundPolicy; workFolder: string }) => GitRemote;
  scanners?: (parts: { workFolder: string }) => Promise<Scanners> | Scanners;
  /** Requests per second to one GitLab. */
  requestsPerSecond?: number;
}

/** Everything that `src/main` creates for a process, with the servers of this run and a simulated GitLab. */
export interface TestWorld {
  db: TestDatabase;
  database: Database;
  databaseUrl: string;
  /** The key ring as text. */
  keyRing: string;
  vault: Vault;
  dataKeys: { token: DataKey; body: DataKey; fingerprint: DataKey };
  simulator: Simulator;
  policy: OutboundPolicy;
  gitlab: GitlabClient;
  git: GitRemote;
  scanners: Scanners;
  settings: ActivitySettings;
  log: Log;
  /** All lines of `log`. */
  logged: string[];
  temporal: { address: string; namespace: string; client: Client; connection: Connection };
  /** Separates the queues from those of other suites. Workflow IDs are unique because row IDs are. */
  queuePrefix: string;
  starters: Starters;
  /** Removed with the world. */
  folder: string;
  /** Runs when the world is closed, in reverse order. */
  onClose(close: () => Promise<void>): void;
  close(): Promise<void>;
}

/** Background work is off by default, so only the work that a test requests happens. */
export const TEST_SETTINGS: ActivitySettings = {
  expiryThresholds: [60, 30, 14, 7, 3, 1],
  verifyIntervalMs: 0,
  syncIntervalMs: 0,
  fullSyncIntervalMs: 0,
  quietHours: null,
  scanIntervalMs: 0,
  history: 'off',
  clones: 4,
  diskReserveBytes: 0,
  retentionMs: 0,
};

const BIG_OR_HOSTILE = ['monolith', 'chronicle', 'hostile', 'hostile-tree'];

/** Built git histories, kept across runs and named by a hash of their content. */
const HISTORIES = join(tmpdir(), `secu-tests-histories-${process.getuid?.() ?? 0}`);

export async function createTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const closers: (() => Promise<void>)[] = [];
  const onClose = (close: () => Promise<void>) => void closers.unshift(close);
  const close = async () => {
    for (const each of closers.splice(0)) await each();
  };
  try {
    return { ...(await buildWorld({ options, onClose })), onClose, close };
  } catch (err) {
    await close();
    throw err;
  }
}

async function buildWorld(input: {
  options: TestWorldOptions;
  onClose: TestWorld['onClose'];
}): Promise<Omit<TestWorld, 'onClose' | 'close'>> {
  const { options, onClose } = input;
  const folder = await mkdtemp(join(tmpdir(), 'secu-world-'));
  onClose(() => rm(folder, { recursive: true, force: true }));
  const db = await createTestDatabase();
  onClose(() => db.drop());
  const simulator = await startSimulator(options.simulator ?? {});
  onClose(() => simulator.close());
  const policy = createOutboundPolicy({
    origins: [simulator.url],
    allowedNetworks: ['127.0.0.0/8'],
    ownListeners: [],
  });
  onClose(() => policy.close());
  const queuePrefix = `${randomBytes(4).toString('hex')}-`;
  const temporal = temporalOf(testServerAddress('temporalAddress'));
  onClose(() => temporal.connection.close());
  const scrubber = createScrubber();
  const { log, logged } = collectingLog(scrubber);
  const sealing = await buildVault(db.database, scrubber);
  const workFolder = join(folder, 'tools');
  await mkdir(workFolder, { recursive: true });
  return {
    db,
    database: db.database,
    databaseUrl: db.url,
    ...sealing,
    simulator,
    policy,
    gitlab: createGitlabClient({
      policy,
      pacer: createPacer({ perSecond: options.requestsPerSecond ?? 1_000 }),
      userAgent: 'Secu/test',
    }),
    git: (options.git ?? realGit)({ policy, workFolder }),
    scanners: await (options.scanners ?? createFakeScanners)({ workFolder }),
    settings: { ...TEST_SETTINGS, ...options.settings },
    log,
    logged,
    temporal,
    queuePrefix,
    starters: createStarters({ client: temporal.client, queuePrefix }),
    folder,
  };
}

function realGit({ policy, workFolder }: { policy: OutboundPolicy; workFolder: string }): GitRemote {
  return createGitRemote({
    workFolder,
    pinFor: (url) => policy.pinFor(url),
    proxyFor: (url) => policy.proxyFor(url),
    clonesPerOrigin: TEST_SETTINGS.clones,
    cloneTimeoutMs: 60_000,
    cloneMaxBytes: 2 ** 30,
    headTimeoutMs: 10_000,
  });
}

async function startSimulator(options: Partial<SimulatorOptions>): Promise<Simulator> {
  const recipes = options.recipes ?? defaultRecipes().filter(({ name }) => !BIG_OR_HOSTILE.includes(name));
  return createSimulator({ folder: HISTORIES, ...options, recipes });
}

/** A client for this address; an address without a listener simulates an unavailable Temporal. */
export function temporalOf(address: string): TestWorld['temporal'] {
  const { client, connection } = createTemporalClient({
    address,
    namespace: TEMPORAL_NAMESPACE,
    identity: 'test',
  });
  return { address, namespace: TEMPORAL_NAMESPACE, client, connection };
}

async function buildVault(
  database: Database,
  scrubber: Scrubber,
): Promise<Pick<TestWorld, 'keyRing' | 'vault' | 'dataKeys'>> {
  const keyRing = newKeyLine();
  const vault = createVault({
    keyRing: parseKeyRing(keyRing),
    provider: 'forge',
    onSecret: (secret) => scrubber.registerSecret(secret),
  });
  const open = (name: 'token' | 'body' | 'fingerprint') => openDataKey({ vault, database, name });
  const dataKeys = {
    token: await open('token'),
    body: await open('body'),
    fingerprint: await open('fingerprint'),
  };
  return { keyRing, vault, dataKeys };
}

/** `SECU_TEST_LOG=1` also prints the lines. */
function collectingLog(scrubber: Scrubber): { log: Log; logged: string[] } {
  const logged: string[] = [];
  const shown = process.env['SECU_TEST_LOG'] === '1';
  const destination = {
    write(line: string) {
      logged.push(line);
      if (shown) process.stderr.write(line);
    },
  };
  return { log: createLogger({ level: 'debug', format: 'json', destination, scrubber }), logged };
}
