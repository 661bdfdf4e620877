import type { Connection } from '@temporalio/client';
import protos from '@temporalio/proto';
import { taskQueues } from '../workflows/contract.ts';

const POLLED_WITHIN_MS = 90_000;
const { TaskQueueType } = protos.temporal.api.enums.v1;

/** Names of queues that no worker polls. A poll lasts one minute, so a poller of the last 90 s counts. */
export async function queuesWithoutWorker(input: {
  connection: Connection;
  namespace: string;
  queuePrefix?: string;
  timeoutMs: number;
}): Promise<string[]> {
  const queues = taskQueues(input.queuePrefix);
  const expected = [
    { name: 'orchestration', taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW },
    { name: 'gitlab', taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY },
    { name: 'scan', taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY },
  ] as const;
  return input.connection.withDeadline(Date.now() + input.timeoutMs, async () => {
    const missing: string[] = [];
    for (const { name, taskQueueType } of expected) {
      const { pollers } = await input.connection.workflowService.describeTaskQueue({
        namespace: input.namespace,
        taskQueue: { name: queues[name] },
        taskQueueType,
      });
      const fresh = (pollers ?? []).some(
        (poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1_000 > Date.now() - POLLED_WITHIN_MS,
      );
      if (!fresh) missing.push(name);
    }
    return missing;
  });
}
