/**
 * Task queues, workflow IDs, inputs and signals: everything that starters and workers know about the workflows.
 * All of it is plain JSON: IDs, dates, counts and codes, never a token, a name or external text.
 */
import { defineSearchAttributeKey } from '@temporalio/common';

/** The task queues. The prefix separates test suites that share one server. */
export function taskQueues(prefix = '') {
  return {
    orchestration: `${prefix}orchestration`,
    gitlab: `${prefix}gitlab`,
    scan: `${prefix}scan`,
  };
}

/** The rotation queue of one worker. A worker must finish its own rotations, because the answer is on its disk. */
export const rotationQueue = (workerId: string, prefix = '') => `${prefix}rotation:${workerId}`;

/** All task queues, derived from the queue of the running workflow. */
export function taskQueuesOf(orchestrationQueue: string) {
  return taskQueues(prefixOf(orchestrationQueue));
}

/** The rotation queue of a worker, derived from the queue of the running workflow. */
export function rotationQueueOf(orchestrationQueue: string, workerId: string): string {
  return rotationQueue(workerId, prefixOf(orchestrationQueue));
}

function prefixOf(orchestrationQueue: string): string {
  return orchestrationQueue.slice(0, -'orchestration'.length);
}

export const integrationWorkflowId = (integrationId: string) => `integration:${integrationId}`;
export const syncWorkflowId = (integrationId: string) => `sync:${integrationId}`;
export const fleetWorkflowId = (integrationId: string) => `scans:${integrationId}`;
export const scanWorkflowId = (repositoryId: string) => `scan:${repositoryId}`;
export const reconcileWorkflowId = (prefix = '') => `${prefix}reconcile`;

export const WORKFLOW_TYPES = {
  integration: 'integrationWorkflow',
  sync: 'syncWorkflow',
  fleet: 'scanFleetWorkflow',
  scan: 'repositoryScanWorkflow',
  reconcile: 'reconcileWorkflow',
} as const;

/** The only signal: read the rows and plan again. It has no content, so a sender cannot change anything. */
export const CHANGED_SIGNAL = 'changed';

export const INTEGRATION_ID_ATTRIBUTE = defineSearchAttributeKey('SecuIntegrationId', 'KEYWORD');
export const STATUS_ATTRIBUTE = defineSearchAttributeKey('SecuStatus', 'KEYWORD');
export const NEXT_WAKE_ATTRIBUTE = defineSearchAttributeKey('SecuNextWakeAt', 'DATETIME');

export interface IntegrationInput {
  integrationId: string;
}

export interface SyncInput {
  integrationId: string;
  syncId: string;
}

export interface FleetInput {
  integrationId: string;
}
