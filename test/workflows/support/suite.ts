import { randomBytes } from 'node:crypto';
import type { Client, Connection } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { NativeConnection } from '@temporalio/worker';
import type { Starters } from '../../../src/domain/ports.ts';
import { TEMPORAL_NAMESPACE } from '../../../src/embedded/temporal-server.ts';
import { createLogger } from '../../../src/log/logger.ts';
import { createFailureInterceptor } from '../../../src/temporal/activity-failure.ts';
import { createTemporalClient } from '../../../src/temporal/connection.ts';
import { createStarters } from '../../../src/temporal/starters.ts';
import { createQueueWorker } from '../../../src/temporal/worker.ts';
import { taskQueues } from '../../../src/workflows/contract.ts';
import { testServerAddress } from '../../support/server-addresses.ts';
import '../../support/workers.ts'; // captures the logger of Temporal's native core
import type { AllActivities } from './activities.ts';

export interface Suite {
  client: Client;
  connection: Connection;
  namespace: string;
  native: NativeConnection;
  /** Runs `work` with its own workers for these activities, on its own queues, and waits for their end. */
  withWorkers<T>(
    activities: AllActivities,
    work: (on: { taskQueue: string; queuePrefix: string; starters: Starters }) => Promise<T>,
    options?: { maxCachedWorkflows?: number },
  ): Promise<T>;
  close(): Promise<void>;
}

/** On the Temporal server of this test run, unless another one is given. */
export async function openSuite(
  server: { address: string; namespace: string } = {
    address: testServerAddress('temporalAddress'),
    namespace: TEMPORAL_NAMESPACE,
  },
): Promise<Suite> {
  const { address, namespace } = server;
  const { client, connection } = createTemporalClient({ ...server, identity: 'test' });
  const native = await NativeConnection.connect({ address });
  return {
    client,
    connection,
    namespace,
    native,
    async withWorkers(activities, work, options = {}) {
      const queuePrefix = `${randomBytes(4).toString('hex')}-`;
      const workers = await createWorkers({ native, namespace, queuePrefix, activities, options });
      const running = Promise.all(workers.map((worker) => worker.run()));
      try {
        const starters = createStarters({ client, queuePrefix });
        return await Promise.race([
          work({ taskQueue: taskQueues(queuePrefix).orchestration, queuePrefix, starters }),
          running.then(() => Promise.reject(new Error('the workers ended before the test'))),
        ]);
      } finally {
        for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
        await running;
      }
    },
    async close() {
      await native.close();
      await connection.close();
    },
  };
}

const QUIET = createLogger({ level: 'error', format: 'json', destination: { write: () => {} } });

/** The tests read histories, not metrics. */
const NO_METRICS = { activityEnded: () => {} };

function createWorkers(input: {
  native: NativeConnection;
  namespace: string;
  queuePrefix: string;
  activities: AllActivities;
  options: { maxCachedWorkflows?: number };
}): Promise<Worker[]> {
  const { native, namespace, queuePrefix, activities, options } = input;
  const common = {
    connection: native,
    namespace,
    queuePrefix,
    identity: 'test',
    activities,
    interceptor: (context: Parameters<typeof createFailureInterceptor>[0]['context']) =>
      createFailureInterceptor({ log: QUIET, metrics: NO_METRICS, context }),
    slots: 20,
  };
  return Promise.all([
    createQueueWorker('orchestration', {
      ...common,
      ...options,
      workflowBundle: { codePath: testServerAddress('workflowBundle') },
    }),
    createQueueWorker('gitlab', common),
    createQueueWorker('scan', common),
  ]);
}
