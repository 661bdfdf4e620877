import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { isDatabaseAway } from '../db/postgres-driver.ts';
import { INVALID_CAUSES, REACHABILITY_CAUSES } from '../domain/causes.ts';
import type { SecuErrorCode } from '../domain/errors.ts';
import { SecuError } from '../domain/errors.ts';
import { tableOf } from '../domain/total-table.ts';
import type { Log } from '../log/logger.ts';
import type { ActivityMetrics } from '../metrics/activities.ts';

type Handling = 'retry' | 'final';

/** Whether Temporal retries a failure of this code. */
const HANDLING: Record<SecuErrorCode, Handling> = {
  invalid_request: 'final',
  unauthenticated: 'final',
  forbidden: 'final',
  not_found: 'final',
  method_not_allowed: 'final',
  payload_too_large: 'final',
  unsupported_media_type: 'final',
  misdirected_request: 'final',
  too_many_requests: 'retry',
  name_taken: 'final',
  token_in_use: 'final',
  origin_not_allowed: 'final',
  idempotency_key_reused: 'final',
  idempotency_in_progress: 'retry',
  managed_by_environment: 'final',
  reach_shrinks: 'final',
  setup_code_invalid: 'final',
  setup_done: 'final',
  last_administrator: 'final',
  rotation_not_possible: 'final',
  mail_not_configured: 'final',
  channel_off: 'final',
  ...tableOf(INVALID_CAUSES, (): Handling => 'final'),
  ...tableOf(REACHABILITY_CAUSES, (): Handling => 'retry'),
  gitlab_redirected: 'final',
  not_gitlab: 'final',
  repository_gone: 'final',
  repository_forbidden: 'final',
  repository_redirected: 'final',
  head_unresolved: 'final',
  object_malformed: 'final',
  too_many_files: 'final',
  gateway_failed: 'retry',
  clone_failed: 'retry',
  clone_too_large: 'final',
  clone_timed_out: 'final',
  scan_timed_out: 'final',
  scanner_crashed: 'retry',
  disk_low: 'retry',
  canceled: 'final',
  secret_unreadable: 'final',
  key_unknown: 'final',
  invalid_settings: 'final',
  home_in_use: 'final',
  tool_unavailable: 'retry',
  embedded_failed: 'retry',
  database_unavailable: 'retry',
  schema_mismatch: 'retry',
  temporal_unavailable: 'retry',
  sign_on_unavailable: 'retry',
  internal: 'retry',
};

/**
 * A failure that may be stored in a history: the code and a fixed text, without cause and stack. Foreign text and paths stay in
 * the worker log.
 */
export function failureOf(err: unknown): ApplicationFailure {
  const code = codeOf(err);
  const retryAfterMs = err instanceof SecuError ? err.details['retryAfterMs'] : undefined;
  const failure = ApplicationFailure.create({
    type: code,
    message: `failed with ${code}; the worker's log has the details`,
    nonRetryable: HANDLING[code] === 'final',
    ...(typeof retryAfterMs === 'number' ? { nextRetryDelay: retryAfterMs } : {}),
  });
  delete failure.stack;
  return failure;
}

function codeOf(err: unknown): SecuErrorCode {
  if (err instanceof SecuError) return err.code;
  return isDatabaseAway(err) ? 'database_unavailable' : 'internal';
}

/**
 * Logs and counts the outcome of each activity, and reduces failures to their code. Fields that the activity
 * adds to the log meanwhile, such as the request id, are on that line too.
 */
export function createFailureInterceptor({
  log,
  metrics,
  context,
}: {
  log: Log;
  metrics: Pick<ActivityMetrics, 'activityEnded'>;
  context: Context;
}): ActivityInboundCallsInterceptor {
  const { info } = context;
  const activity = info.activityType;
  const fields = { activity, workflowId: info.workflowExecution?.workflowId, attempt: info.attempt };

  async function runAndReport(work: () => Promise<unknown>): Promise<unknown> {
    const startedMs = performance.now();
    const ended = (outcome: string) => {
      const durationMs = Math.round(performance.now() - startedMs);
      metrics.activityEnded({ activity, outcome, durationMs });
      return { durationMs, outcome };
    };
    try {
      const result = await work();
      log.info(ended('done'), 'activity done');
      return result;
    } catch (err) {
      if (err instanceof CancelledFailure) {
        log.info(ended('canceled'), 'activity canceled');
        throw err;
      }
      const failure = failureOf(err);
      log.warn({ ...ended(failure.type ?? 'internal'), err }, 'activity failed');
      throw failure;
    }
  }

  return {
    execute: (input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) =>
      log.within(fields, () => runAndReport(() => next(input))),
  };
}
