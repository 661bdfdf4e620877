import type { Connection } from '@temporalio/client';
import protos from '@temporalio/proto';
import { taskQueues } from '../workflows/contract.ts';

const SEEN_WITHIN_MS = 90_000;
const { TaskQueueType } = protos.temporal.api.enums.v1;

/** Does some worker poll each queue? A poll lasts a minute, so one seen 90 s ago still counts. */
export async function areWorkersPolling(input: {
  connection: Connection;
  namespace: string;
  queuePrefix?: string;
  timeoutMs: number;
}): Promise<boolean> {
  const queues = taskQueues(input.queuePrefix);
  const wanted = [
    { name: queues.orchestration, taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW },
    { name: queues.gitlab, taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY },
    { name: queues.scan, taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY },
  ];
  return input.connection.withDeadline(Date.now() + input.timeoutMs, async () => {
    for (const { name, taskQueueType } of wanted) {
      const { pollers } = await input.connection.workflowService.describeTaskQueue({
        namespace: input.namespace,
        taskQueue: { name },
        taskQueueType,
      });
      const fresh = (pollers ?? []).some(
        (poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1_000 > Date.now() - SEEN_WITHIN_MS,
      );
      if (!fresh) return false;
    }
    return true;
  });
}
