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
import { database, listing, replacement, rotation, rotationResolver, rotators } from './proxies.ts';
import { causeOf, syncWorkflow } from './sync.ts';
import { verify } from './verify.ts';

export const changedSignal = defineSignal(CHANGED_SIGNAL);

/**
 * Runs one integration until it is removed: plans from its rows, performs what is due, then waits for the next
 * deadline or the signal. Its only state is the ID; everything else is read again.
 */
export async function integrationWorkflow({ integrationId }: IntegrationInput): Promise<void> {
  let changed = false;
  setHandler(changedSignal, () => {
    changed = true;
  });

  const planNext = () => {
    // earlier signals are covered: their changes are in the rows that are read now
    changed = false;
    return database().planIntegration({ integrationId, nowMs: Date.now() });
  };

  const isRepeatedTooOften = createRepeatGuard();
  let plan = await planNext();
  while (plan.action.do !== 'wait') {
    if (plan.action.do === 'clean_up') {
      await database().cleanUpIntegration({ integrationId, nowMs: Date.now() });
      return;
    }
    const failed = isRepeatedTooOften(plan.action)
      ? 'no_progress'
      : await perform(integrationId, plan.action).then(() => null, causeOfFinal);
    if (failed !== null) {
      await abandonCommandOf(integrationId, plan.action);
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
/**
 * The limit of consecutive equal actions. An action that is planned again changed nothing, and the workflow must
 * not loop.
 */
const MAX_EQUAL_ACTIONS = 5;

function createRepeatGuard(): (action: PlannedAction) => boolean {
  let last = '';
  let count = 0;
  return (action) => {
    const text = JSON.stringify(action);
    count = text === last ? count + 1 : 1;
    last = text;
    return count > MAX_EQUAL_ACTIONS;
  };
}

/** Ends a command whose action failed permanently with `internal`, so that it is not tried again. */
async function abandonCommandOf(integrationId: string, action: PlannedAction): Promise<void> {
  if (!('commandId' in action) || action.commandId === null) return;
  const kind = action.do === 'resolve_rotation' ? 'rotate' : action.do;
  const { commandId } = action;
  await database().abandonCommand({ integrationId, commandId, kind, nowMs: Date.now() });
}

/** The error code of an activity that failed after its retries. @throws cancellations and all other errors */
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
    case 'check_heads':
      await listing().checkStaleHeads({ integrationId, nowMs: Date.now() });
  }
}

const MAX_START_ATTEMPTS = 20;
const WAIT_FOR_PREVIOUS = '500ms';

/**
 * Rotates on any worker of the queue. If that worker dies, its command or an open attempt remains, and the next
 * plan finds it. GitLab is not asked again before the outcome of the first request is known.
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

/** True if no worker took the activity, or its heartbeats stopped. */
function isTimeout(err: unknown): boolean {
  return err instanceof ActivityFailure && err.cause instanceof TimeoutFailure;
}

async function startSync(integrationId: string): Promise<void> {
  const { syncId, joined } = await database().openSync({ integrationId, nowMs: Date.now() });
  if (syncId === null) return;
  // the workflow of the previous sync may not be closed yet
  const maxAttempts = joined ? 1 : MAX_START_ATTEMPTS;
  for (
    let attempt = 1;
    attempt <= maxAttempts && !(await hasStarted({ integrationId, syncId }));
    attempt += 1
  ) {
    if (attempt < maxAttempts) await sleep(WAIT_FOR_PREVIOUS);
  }
}

/**
 * Starts the sync workflow. @returns false while another one has the same ID; the reconcile workflow finds one
 * that never closes
 */
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
      // the listing continues while this workflow continues as new
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
