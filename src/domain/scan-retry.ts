import type { ScanCause } from './causes.ts';

/**
 * Why a scan goes back to its queue: its integration may not clone now (the verification that ends this wakes the
 * fleet), the disk is full, or git could not be asked about this repository.
 */
export type RequeueReason = 'integration_not_ready' | 'disk_low' | 'gateway_failed' | 'repository_redirected';

const MINUTE_MS = 60_000;

/** After this many requeues the scan fails with the reason as its cause. Waiting for the integration is not counted. */
const REQUEUE_LIMITS = {
  disk_low: { maxRequeues: 40, firstDelayMs: MINUTE_MS / 2, maxDelayMs: 15 * MINUTE_MS },
  gateway_failed: { maxRequeues: 5, firstDelayMs: MINUTE_MS / 2, maxDelayMs: 30 * MINUTE_MS },
  repository_redirected: { maxRequeues: 2, firstDelayMs: MINUTE_MS / 2, maxDelayMs: 30 * MINUTE_MS },
} as const satisfies Record<
  Exclude<RequeueReason, 'integration_not_ready'>,
  { maxRequeues: number; firstDelayMs: number; maxDelayMs: number }
>;
const BACKOFF = 3;

export type RequeueDecision =
  | { kind: 'requeue'; cause: ScanCause | null; delayMs: number; counts: boolean }
  | { kind: 'give_up'; cause: ScanCause };

/** `requeues` counts those before this one. */
export function decideRequeue(reason: RequeueReason, requeues: number): RequeueDecision {
  if (reason === 'integration_not_ready') return { kind: 'requeue', cause: null, delayMs: 0, counts: false };
  const { maxRequeues, firstDelayMs, maxDelayMs } = REQUEUE_LIMITS[reason];
  if (requeues >= maxRequeues) return { kind: 'give_up', cause: reason };
  const delayMs = Math.min(maxDelayMs, firstDelayMs * BACKOFF ** requeues);
  return { kind: 'requeue', cause: reason, delayMs, counts: true };
}

/** The maximum number of verifications per hour that failing scans of one integration may cause. */
export const MAX_PROMPTED_VERIFICATIONS_PER_HOUR = 6;
