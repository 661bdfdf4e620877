import { TestWorkflowEnvironment } from '@temporalio/testing';
import { toolPath } from '../../../harness/tools.ts';
import {
  INTEGRATION_ID_ATTRIBUTE,
  NEXT_WAKE_ATTRIBUTE,
  STATUS_ATTRIBUTE,
} from '../../../src/workflows/contract.ts';

/**
 * Time skipping over continue-as-new is right only where a new run need not keep its distance from the one before it:
 * with the default second, server 1.32.1 shifts that pause by the skipped time twice (`ContinueAsNewMinBackoff`,
 * `wrapExecutionTimes`). The shorter timer shift makes a jump cost a twentieth of a second instead of one.
 */
const DYNAMIC_CONFIG = [
  'frontend.WorkflowTimeSkippingEnabled=true',
  'frontend.WorkflowTimeSkippingMaxSkipPerSession=5000',
  'history.workflowIdReuseMinimalInterval="0s"',
  'history.timerProcessorMaxTimeShift="1ms"',
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
];

/** A Temporal server of this suite's own, whose workflows can be sent through years. */
export async function startClockServer(): Promise<{
  address: string;
  namespace: string;
  stop: () => Promise<void>;
}> {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: await toolPath('temporal') },
      log: { format: 'json', level: 'error' },
      extraArgs: DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]),
      searchAttributes: [INTEGRATION_ID_ATTRIBUTE, STATUS_ATTRIBUTE, NEXT_WAKE_ATTRIBUTE],
    },
  });
  return {
    address: environment.address,
    namespace: environment.namespace ?? 'default',
    stop: () => environment.teardown(),
  };
}
