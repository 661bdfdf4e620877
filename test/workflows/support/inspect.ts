import type { TypedSearchAttributes } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Suite } from './suite.ts';

/** What an operator sees of a workflow without reading its history. */
export async function stateOf(
  { client }: Pick<Suite, 'client'>,
  workflowId: string,
): Promise<{ status: string; details: string; summary: string; attributes: TypedSearchAttributes }> {
  const handle = client.workflow.getHandle(workflowId);
  const described = await handle.describe();
  const metadata = described.raw.executionConfig?.userMetadata;
  const summary = metadata?.summary;
  const isSettled = described.status.name !== 'RUNNING';
  return {
    status: described.status.name,
    details: isSettled ? '' : await currentDetails(handle),
    summary: summary ? String(defaultPayloadConverter.fromPayload(summary)) : '',
    attributes: described.typedSearchAttributes,
  };
}

interface Metadata {
  currentDetails?: string;
}

/** Uses the query of Temporal's web UI. */
async function currentDetails(handle: { query: (name: string) => Promise<unknown> }): Promise<string> {
  const metadata = (await handle.query('__temporal_workflow_metadata')) as Metadata;
  return metadata.currentDetails ?? '';
}

/** The number of runs in the chain of this workflow so far. */
export async function runsOf({ client }: Pick<Suite, 'client'>, workflowId: string): Promise<number> {
  return (await client.workflow.count(`WorkflowId = '${workflowId}'`)).count;
}
