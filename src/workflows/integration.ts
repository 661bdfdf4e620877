import { TimeoutFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { PlannedAction } from '../activities/integration.ts';
import type { IntegrationInput } from './contract.ts';
import {
  CHANGED_SIGNAL,
  INTEGRATION_ID_ATTRIBUTE,
  NEXT_WAKE_ATTRIBUTE,
  STATUS_ATTRIBUTE,
  syncWorkflowId,
} from './contract.ts';
import { database, replacement, rotation, rotationResolver, rotators } from './proxies.ts';
import { causeOf, syncWorkflow } from './sync.ts';
import { verify } from './verify.ts';

export const changedSignal = defineSignal(CHANGED_SIGNAL);

/**
 * One integration, for as long as it lives: look at its rows, do what is due, wait for the next deadline or for
 * somebody to say "look again". What it remembers is its id; everything else is read anew.
 */
export async function integrationWorkflow({ integrationId }: IntegrationInput): Promise<void> {
  let changed = false;
  setHandler(changedSignal, () => {
    changed = true;
  });

  const planNext = () => {
    // whatever was said before this look is seen by it
    changed = false;
    return database().planIntegration({ integrationId, nowMs: Date.now() });
  };

  let plan = await planNext();
  while (plan.action.do !== 'wait') {
    if (plan.action.do === 'clean_up') {
      await database().cleanUpIntegration({ integrationId, nowMs: Date.now() });
      return;
    }
    const failed = await perform(integrationId, plan.action).then(() => null, causeOfFinal);
    if (failed !== null) {
      setCurrentDetails(`Status: ${plan.status}. ${plan.action.do} failed: ${failed}. Tried again soon.`);
      await condition(() => changed, RETRY_AFTER_FAILURE);
      return continueAsNew<typeof integrationWorkflow>({ integrationId });
    }
    plan = await planNext();
  }

  publishStatus(integrationId, plan.status, plan.action);
  await condition(() => changed, Math.max(1, plan.action.untilMs - Date.now()));
  await continueAsNew<typeof integrationWorkflow>({ integrationId });
}

const RETRY_AFTER_FAILURE = '10m';

/** The code of a failure that no retry mends; an integration outlives it. */
function causeOfFinal(err: unknown): string {
  if (isCancellation(err) || !(err instanceof ActivityFailure)) throw err;
  return causeOf(err);
}

async function perform(
  integrationId: string,
  action: Exclude<PlannedAction, { do: 'wait' } | { do: 'clean_up' }>,
): Promise<void> {
  switch (action.do) {
    case 'verify':
      return verify(integrationId, action.commandId);
    case 'replace_token':
      await replacement().replaceToken({ integrationId, commandId: action.commandId, nowMs: Date.now() });
      return;
    case 'rotate':
      return rotate(integrationId, action.commandId);
    case 'resolve_rotation':
      return resolveRotation(integrationId, action);
    case 'flag':
      await database().flagExpiry({ integrationId, thresholdDays: action.thresholdDays, nowMs: Date.now() });
      return;
    case 'sync':
      return startSync(integrationId);
  }
}

const MAX_START_ATTEMPTS = 20;
const WAIT_FOR_PREVIOUS = '500ms';

/**
 * By the worker that any look at the queue finds. One that dies on the way leaves its command, or an open attempt: the
 * next look finds either, and never asks GitLab a second time before it knows how the first one went.
 */
async function rotate(integrationId: string, commandId: string | null): Promise<void> {
  const { workerId } = await rotators().chooseRotator({ integrationId });
  try {
    await rotation(workerId).rotateToken({ integrationId, commandId, nowMs: Date.now() });
  } catch (err) {
    if (!isTimeout(err)) throw err;
  }
}

async function resolveRotation(
  integrationId: string,
  { workerId, attemptId, commandId }: { workerId: string; attemptId: string; commandId: string | null },
): Promise<void> {
  const input = { integrationId, attemptId, commandId };
  try {
    await rotationResolver(workerId).resolveRotation({ ...input, nowMs: Date.now() });
  } catch (err) {
    if (!isTimeout(err)) throw err;
    await rotationResolver(null).resolveRotation({ ...input, nowMs: Date.now() });
  }
}

/** Nobody took it, or whoever did gives no sign. */
function isTimeout(err: unknown): boolean {
  return err instanceof ActivityFailure && err.cause instanceof TimeoutFailure;
}

async function startSync(integrationId: string): Promise<void> {
  const { syncId, joined } = await database().openSync({ integrationId, nowMs: Date.now() });
  if (syncId === null) return;
  // the sync before may have ended its row and not yet itself
  const maxTries = joined ? 1 : MAX_START_ATTEMPTS;
  for (let tries = 1; tries <= maxTries && !(await hasStarted({ integrationId, syncId })); tries += 1) {
    if (tries < maxTries) await sleep(WAIT_FOR_PREVIOUS);
  }
}

/** False while another sync holds the name. One that never lets go is found by the reconcile workflow. */
async function hasStarted({
  integrationId,
  syncId,
}: {
  integrationId: string;
  syncId: string;
}): Promise<boolean> {
  try {
    await startChild(syncWorkflow, {
      workflowId: syncWorkflowId(integrationId),
      args: [{ integrationId, syncId }],
      // the listing goes on while this workflow continues as new
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Lists what ${integrationId} can read`,
    });
    return true;
  } catch (err) {
    if (!(err instanceof WorkflowExecutionAlreadyStartedError)) throw err;
    return false;
  }
}

function publishStatus(integrationId: string, status: string, action: PlannedAction & { do: 'wait' }): void {
  const nextWake = new Date(action.untilMs);
  setCurrentDetails(`Status: ${status}. Next wake: ${nextWake.toISOString()}, or when something changes.`);
  upsertSearchAttributes([
    { key: INTEGRATION_ID_ATTRIBUTE, value: integrationId },
    { key: STATUS_ATTRIBUTE, value: status },
    { key: NEXT_WAKE_ATTRIBUTE, value: nextWake },
  ]);
}
