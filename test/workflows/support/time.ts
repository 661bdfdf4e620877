import { msToTs } from '@temporalio/common/lib/time.js';
import type { Suite } from './suite.ts';

/**
 * Moves the clock of one running workflow with the time skipping of the server (Temporal server 1.32, found by
 * experiment). It stops at each timer on the way, waits for running activities, and continues after
 * continue-as-new.
 */
export async function forward(
  { connection, namespace }: Pick<Suite, 'connection' | 'namespace'>,
  { workflowId, ms, timeoutMs = 30_000 }: { workflowId: string; ms: number; timeoutMs?: number },
): Promise<void> {
  const id = `forward-${crypto.randomUUID()}`;
  const workflowExecution = { workflowId };
  await connection.workflowService.updateWorkflowExecutionOptions({
    namespace,
    workflowExecution,
    updateMask: { paths: ['time_skipping_config'] },
    workflowExecutionOptions: {
      timeSkippingConfig: { enabled: true, fastForwardConfig: { id, duration: msToTs(ms) } },
    },
  });
  await connection.withDeadline(Date.now() + timeoutMs, () =>
    connection.workflowService.pollWorkflowExecutionTimeSkipping({
      namespace,
      workflowExecution,
      fastForwardId: id,
    }),
  );
}
