import { sleep } from '@temporalio/workflow';
import { repositoryScanWorkflow as unchanged } from '../../../src/workflows/index.ts';

export { scanFleetWorkflow } from '../../../src/workflows/index.ts';

/** An incompatible change: this workflow waits where the recorded one did not. */
export async function repositoryScanWorkflow(
  input: Parameters<typeof unchanged>[0],
): ReturnType<typeof unchanged> {
  await sleep('1s');
  return unchanged(input);
}
