/**
 * The vocabulary of the workflows: queues, ids, inputs, signals. Starters and workers see only this of them.
 * Everything in it is plain JSON; ids, dates, counts and codes, never a token, a name or foreign text.
 */
import { defineSearchAttributeKey } from '@temporalio/common';

/** Queues beside each other; a prefix keeps the suites of one test server apart. */
export function taskQueues(prefix = '') {
  return {
    orchestration: `${prefix}orchestration`,
    gitlab: `${prefix}gitlab`,
    scan: `${prefix}scan`,
  };
}

/** Of one worker: what it begins to rotate is its own to finish, since the answer lies on its disk. */
export const rotationQueue = (workerId: string, prefix = '') => `${prefix}rotation:${workerId}`;

/** The queues beside the one that a workflow runs on. */
export function queuesBeside(orchestrationQueue: string) {
  return taskQueues(prefixOf(orchestrationQueue));
}

/** The rotation queue of a worker, beside the queue that a workflow runs on. */
export function rotationQueueBeside(orchestrationQueue: string, workerId: string): string {
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

/** The one signal: plan again. It has no content, so its sender cannot change anything. */
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
