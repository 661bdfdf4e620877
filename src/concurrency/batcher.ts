import { canceled } from '../domain/errors.ts';
import { createDeadline } from './deadline.ts';
import type { Limiter, Stopwatch } from './limiter.ts';

export interface BatcherOptions<Task, Result> {
  /** Each batch takes one slot. */
  limiter: Limiter;
  /** The number of waiting tasks that start a batch at once, by the newest task. Fewer tasks wait up to `maxWaitMs` for others. */
  minBatchSize: (task: Task) => number;
  maxWaitMs: number;
  maxBatchSize: number;
  /** Sum of `weightOf` over a batch of several tasks; a single task may weigh more. */
  maxBatchWeight: number;
  weightOf: (task: Task) => number;
  /** A batch of several tasks that takes longer is aborted, and each of its tasks runs alone. */
  timeoutMs: number;
  /** Runs a batch and returns one result per task, in order. Resolves or rejects only when nothing of it still runs. */
  run: (tasks: readonly Task[], signal: AbortSignal) => Promise<readonly Result[]>;
}

export type Batcher<Task, Result> = (
  task: Task,
  caller: { signal: AbortSignal; stopwatch: Stopwatch },
) => Promise<Result>;

interface QueuedTask<Task, Result> {
  task: Task;
  signal: AbortSignal;
  stopwatch: Stopwatch;
  result: PromiseWithResolvers<Result>;
  /** Its batch failed: it runs alone the next time. */
  mustRunAlone: boolean;
  /** Called when the signal fires. */
  cancel: () => void;
}

/**
 * Groups tasks whose start-up is expensive: tasks that wait for a slot run in one batch. One bad task cannot fail the
 * others: after a failed batch, each of its tasks runs again alone.
 * @throws SecuError `canceled` when the signal fires; whatever `run` throws for a task that runs alone
 */
export function createBatcher<Task, Result>(options: BatcherOptions<Task, Result>): Batcher<Task, Result> {
  const queue: QueuedTask<Task, Result>[] = [];
  let isBatchRequested = false;
  let onQueueChanged = () => {};

  function enqueue(tasks: readonly QueuedTask<Task, Result>[], position: 'first' | 'last'): void {
    const active = tasks.filter(({ signal }) => !signal.aborted);
    for (const { result } of tasks.filter(({ signal }) => signal.aborted)) result.reject(canceled());
    for (const queued of active) {
      queued.stopwatch.pause();
      queued.cancel = () => {
        queue.splice(queue.indexOf(queued), 1);
        queued.result.reject(canceled());
      };
    }
    queue.splice(position === 'first' ? 0 : queue.length, 0, ...active);
    onQueueChanged();
    void requestBatch();
  }

  const isReady = () => isBatchReady(queue, options);

  async function waitUntilBatchReady(): Promise<void> {
    if (isReady()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, options.maxWaitMs);
    onQueueChanged = () => {
      if (isReady()) resolve();
    };
    await promise;
    clearTimeout(timer);
    onQueueChanged = () => {};
  }

  async function requestBatch(): Promise<void> {
    if (isBatchRequested || queue.length === 0) return;
    isBatchRequested = true;
    await waitUntilBatchReady();
    void options.limiter(NEVER_ABORTED, async () => {
      isBatchRequested = false;
      const batch = removeNextBatch(queue, options);
      void requestBatch();
      enqueue(await runBatch(batch, options), 'first');
    });
  }

  return async (task, caller) => {
    const queued = newQueuedTask<Task, Result>(task, caller);
    const { signal, stopwatch, result } = queued;
    const onAbort = () => queued.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      enqueue([queued], 'last');
      return await result.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      stopwatch.resume();
    }
  };
}

function newQueuedTask<Task, Result>(
  task: Task,
  { signal, stopwatch }: { signal: AbortSignal; stopwatch: Stopwatch },
): QueuedTask<Task, Result> {
  const result = Promise.withResolvers<Result>();
  return { task, signal, stopwatch, result, mustRunAlone: false, cancel: () => {} };
}

/** True when the batch need not wait for further tasks: a full batch, a heavy one, or a task that must run alone. */
function isBatchReady<Task, Result>(
  queue: readonly QueuedTask<Task, Result>[],
  { minBatchSize, maxBatchSize, maxBatchWeight, weightOf }: BatcherOptions<Task, Result>,
): boolean {
  const newest = queue.at(-1);
  if (newest === undefined || queue.some(({ mustRunAlone }) => mustRunAlone)) return true;
  if (queue.length >= Math.min(minBatchSize(newest.task), maxBatchSize)) return true;
  return queue.reduce((sum, { task }) => sum + weightOf(task), 0) >= maxBatchWeight;
}

/** Never throws: every task gets its result or error, except those that it returns, which must run again alone. */
async function runBatch<Task, Result>(
  batch: readonly QueuedTask<Task, Result>[],
  { run, timeoutMs }: BatcherOptions<Task, Result>,
): Promise<QueuedTask<Task, Result>[]> {
  if (batch.length === 0) return [];
  const remaining = new Set(batch);
  const allCanceled = new AbortController();
  for (const queued of batch) {
    queued.stopwatch.resume();
    queued.cancel = () => {
      remaining.delete(queued);
      // the last caller gets its answer only when the run has ended
      if (remaining.size === 0) allCanceled.abort();
      else queued.result.reject(canceled());
    };
  }
  const deadline = batch.length > 1 ? createDeadline(timeoutMs) : null;
  const signals = deadline === null ? [allCanceled.signal] : [allCanceled.signal, deadline.signal];
  try {
    const results = await run(
      batch.map(({ task }) => task),
      AbortSignal.any(signals),
    );
    for (const [index, { result }] of batch.entries()) result.resolve(results[index] as Result);
    return [];
  } catch (err) {
    if (batch.length > 1 && remaining.size > 0)
      return [...remaining].map((queued) => Object.assign(queued, { mustRunAlone: true }));
    for (const { result, signal } of batch) result.reject(signal.aborted ? canceled() : err);
    return [];
  } finally {
    deadline?.close();
  }
}

const NEVER_ABORTED = new AbortController().signal;

/** The task that has waited longest, and later ones that fit into the same batch. */
function removeNextBatch<Task, Result>(
  queue: QueuedTask<Task, Result>[],
  { maxBatchSize, maxBatchWeight, weightOf }: BatcherOptions<Task, Result>,
): QueuedTask<Task, Result>[] {
  const first = queue.shift();
  if (first === undefined) return [];
  if (first.mustRunAlone) return [first];
  let weight = weightOf(first.task);
  const others: QueuedTask<Task, Result>[] = [];
  for (const queued of queue) {
    const total = weight + weightOf(queued.task);
    if (queued.mustRunAlone || total > maxBatchWeight || others.length + 1 >= maxBatchSize) continue;
    weight = total;
    others.push(queued);
  }
  for (const queued of others) queue.splice(queue.indexOf(queued), 1);
  return [first, ...others];
}
