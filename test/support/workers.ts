import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from '@prometheus-io/client';
import type { Worker } from '@temporalio/worker';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { GitlabDeps, RotationDeps } from '../../src/activities/deps.ts';
import { createIntegrationActivities } from '../../src/activities/integration.ts';
import { createReconcileActivities } from '../../src/activities/reconcile.ts';
import { createRotationActivities } from '../../src/activities/rotation/activities.ts';
import { createFleetActivities } from '../../src/activities/scan/fleet.ts';
import { createScanActivities } from '../../src/activities/scan/scan.ts';
import { createListingActivities } from '../../src/activities/sync/listing.ts';
import { createSyncActivities } from '../../src/activities/sync/sync.ts';
import { createVerifyActivities } from '../../src/activities/token/verify.ts';
import { startOutboxLoop } from '../../src/background/outbox-loop.ts';
import { openRotationFolder } from '../../src/folder-lease/rotation-folder.ts';
import { createActivityMetrics } from '../../src/metrics/activities.ts';
import { createFailureInterceptor } from '../../src/temporal/activity-failure.ts';
import type { QueueName, WorkerParts } from '../../src/temporal/worker.ts';
import { connectWorker, createQueueWorker, createRotationWorker } from '../../src/temporal/worker.ts';
import { keyedHash } from '../../src/vault/vault.ts';
import { testServerAddress } from './server-addresses.ts';
import type { TestWorld } from './world.ts';

// Temporal's native core accepts its logger once per process, before the first worker.
Runtime.install({ logger: new DefaultLogger('ERROR') });

const SLOTS = { orchestration: 20, gitlab: 20, scan: 2 } as const satisfies Record<QueueName, number>;

export interface RunningWorkers {
  stop(): Promise<void>;
}

interface WorkerOptions {
  queues?: readonly QueueName[];
  dispatcher?: boolean;
  maxCachedWorkflows?: number;
  /** The metrics registry; default: a new one. */
  registry?: Registry;
  rotation?: Partial<RotationDeps>;
}

/**
 * Starts workers of this world, until `stop` or the end of the world. The orchestration queue includes the dispatcher, but not
 * the reconcile schedule: tests of reconcile call `reconcile`.
 */
export async function startWorkers(world: TestWorld, options: WorkerOptions = {}): Promise<RunningWorkers> {
  const queues = options.queues ?? ['orchestration', 'gitlab', 'scan'];
  const connection = await connectWorker({ ...addressOf(world), log: world.log });
  const deps = depsOf(world, options.registry);
  const workers: Worker[] = [];
  const common = {
    connection,
    namespace: world.temporal.namespace,
    queuePrefix: world.queuePrefix,
    interceptor: (context: Parameters<WorkerParts['interceptor']>[0]) =>
      createFailureInterceptor({ log: world.log, metrics: deps.metrics, context }),
  };
  const rotation = await rotationDepsOf(world, { ...deps, ...options.rotation });
  if (queues.includes('gitlab')) {
    workers.push(
      await createRotationWorker({
        ...common,
        identity: 'test:rotation',
        workerId: rotation.journal.workerId,
        activities: createRotationActivities(rotation),
      }),
    );
  }
  for (const queue of queues) {
    workers.push(
      await createQueueWorker(queue, {
        ...common,
        identity: `test:${queue}`,
        slots: SLOTS[queue],
        ...(options.maxCachedWorkflows === undefined
          ? {}
          : { maxCachedWorkflows: options.maxCachedWorkflows }),
        ...(await partsOf({ queue, world, deps, rotation })),
      }),
    );
  }
  const running = Promise.all(workers.map((worker) => worker.run()));
  const dispatches = options.dispatcher ?? queues.includes('orchestration');
  const stopDispatcher = dispatches ? startOutboxLoop(deps) : async () => {};
  let stopping: Promise<void> | null = null;
  const end = async () => {
    await stopDispatcher();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
    await connection.close();
  };
  const stop = () => {
    stopping ??= end();
    return stopping;
  };
  world.onClose(stop);
  return { stop };
}

function addressOf({ temporal }: TestWorld): { address: string; namespace: string } {
  return { address: temporal.address, namespace: temporal.namespace };
}

export function depsOf(world: TestWorld, registry = new Registry()): GitlabDeps {
  const { database, vault, starters, log, settings, gitlab, git, scanners } = world;
  const metrics = createActivityMetrics(registry);
  return { database, vault, starters, log, metrics, settings, gitlab, git, rules: scanners.rules };
}

/** Dependencies with a journal below the folder of the world; `own` overrides some of them. */
export async function rotationDepsOf(
  world: TestWorld,
  own: GitlabDeps & Partial<RotationDeps>,
): Promise<RotationDeps> {
  const dataKey = world.dataKeys.token;
  return {
    journal: own.journal ?? (await openRotationFolder({ parent: join(world.folder, 'rotation') })),
    hashToken: (token) => keyedHash({ dataKey, purpose: 'token', text: token }),
    isDraining: () => false,
    confirmAfterMs: 300_000,
    onStep: () => {},
    ...own,
  };
}

async function partsOf(input: {
  queue: QueueName;
  world: TestWorld;
  deps: GitlabDeps;
  rotation: RotationDeps;
}): Promise<Pick<WorkerParts, 'activities' | 'workflowBundle'>> {
  const { queue, world, deps, rotation } = input;
  switch (queue) {
    case 'orchestration':
      return {
        workflowBundle: { codePath: testServerAddress('workflowBundle') },
        activities: {
          ...createIntegrationActivities(deps),
          ...createSyncActivities(deps),
          ...createFleetActivities(deps),
          ...createReconcileActivities(deps),
        },
      };
    case 'gitlab':
      return {
        activities: {
          ...createVerifyActivities(deps),
          ...createListingActivities(deps),
          ...createRotationActivities(rotation),
        },
      };
    case 'scan': {
      const dataKey = world.dataKeys.fingerprint;
      const hash = (text: string) => keyedHash({ dataKey, purpose: 'fingerprint', text });
      const workFolder = await mkdtemp(join(world.folder, 'scans-'));
      return {
        activities: createScanActivities({
          ...deps,
          scanners: world.scanners,
          workFolder,
          hash,
        }),
      };
    }
  }
}
