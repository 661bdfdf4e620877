import { TestWorkflowEnvironment } from '@temporalio/testing';
import { toolPath } from '../../../harness/tools.ts';
import {
  INTEGRATION_ID_ATTRIBUTE,
  NEXT_WAKE_ATTRIBUTE,
  STATUS_ATTRIBUTE,
} from '../../../src/workflows/contract.ts';

/**
 * Time skipping across continue-as-new is correct only if a new run may start without a pause after the previous
 * one. With the default of one second, server 1.32.1 shifts that pause by the skipped time twice
 * (`ContinueAsNewMinBackoff`, `wrapExecutionTimes`). The shorter timer shift reduces the cost of a jump from one
 * second to a twentieth.
 */
const DYNAMIC_CONFIG = [
  'frontend.WorkflowTimeSkippingEnabled=true',
  'frontend.WorkflowTimeSkippingMaxSkipPerSession=5000',
  'history.workflowIdReuseMinimalInterval="0s"',
  'history.timerProcessorMaxTimeShift="1ms"',
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
];

/** A Temporal server only for this suite, whose workflows can skip years. */
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
