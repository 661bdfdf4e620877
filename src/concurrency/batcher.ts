import { canceled } from '../domain/errors.ts';
import { createDeadline } from './deadline.ts';
import type { Clock, Turns } from './limiter.ts';

export interface BatchesOptions<Task, Result> {
  /** One for each batch. */
  takeTurn: Turns;
  /** So many, itself among them, are worth a start, as the last that came knows; fewer wait for more. */
  enough: (task: Task) => number;
  /** For so long. */
  patienceMs: number;
  /** Tasks of one batch at most, and what several may weigh together. */
  most: number;
  mostWeight: number;
  weightOf: (task: Task) => number;
  /** A batch of several that takes longer is given up, and each of its tasks runs alone. */
  mostMs: number;
  /** Does all of them: a result for each, in that order, or an error. Settles when nothing of it runs any more. */
  run: (tasks: readonly Task[], signal: AbortSignal) => Promise<readonly Result[]>;
}

export type Batches<Task, Result> = (
  task: Task,
  whose: { signal: AbortSignal; clock: Clock },
) => Promise<Result>;

interface Member<Task, Result> {
  task: Task;
  signal: AbortSignal;
  clock: Clock;
  result: PromiseWithResolvers<Result>;
  /** Its batch failed: it is not taken together with others again. */
  isAlone: boolean;
  /** What is to be done when its signal fires. */
  leave: () => void;
}

/**
 * For work whose start is dear: what waits for a turn is done together, by the next one that is free; what is not enough
 * waits a moment for more. One task cannot spoil it for the others: those of a batch that fails are run again, each alone.
 * @throws SecuError `canceled` when the signal fires; what `run` throws for a task alone
 */
export function createBatches<Task, Result>(options: BatchesOptions<Task, Result>): Batches<Task, Result> {
  const waiting: Member<Task, Result>[] = [];
  let isTurnAskedFor = false;
  let lookAgain = () => {};

  function wait(members: readonly Member<Task, Result>[], where: 'first' | 'last'): void {
    const staying = members.filter(({ signal }) => !signal.aborted);
    for (const { result } of members.filter(({ signal }) => signal.aborted)) result.reject(canceled());
    for (const member of staying) {
      member.clock.stop();
      member.leave = () => {
        waiting.splice(waiting.indexOf(member), 1);
        member.result.reject(canceled());
      };
    }
    waiting.splice(where === 'first' ? 0 : waiting.length, 0, ...staying);
    lookAgain();
    void askForTurn();
  }

  function isEnough(): boolean {
    const last = waiting.at(-1);
    if (last === undefined || waiting.some(({ isAlone }) => isAlone)) return true;
    if (waiting.length >= Math.min(options.enough(last.task), options.most)) return true;
    return waiting.reduce((sum, { task }) => sum + options.weightOf(task), 0) >= options.mostWeight;
  }

  async function gather(): Promise<void> {
    if (isEnough()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, options.patienceMs);
    lookAgain = () => {
      if (isEnough()) resolve();
    };
    await promise;
    clearTimeout(patience);
    lookAgain = () => {};
  }

  async function askForTurn(): Promise<void> {
    if (isTurnAskedFor || waiting.length === 0) return;
    isTurnAskedFor = true;
    await gather();
    void options.takeTurn(NEVER, async () => {
      isTurnAskedFor = false;
      const members = takeSome(waiting, options);
      void askForTurn();
      wait(await runTogether(members, options), 'first');
    });
  }

  return async (task, { signal, clock }) => {
    const result = Promise.withResolvers<Result>();
    const member: Member<Task, Result> = { task, signal, clock, result, isAlone: false, leave: () => {} };
    const onAbort = () => member.leave();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      wait([member], 'last');
      return await result.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      clock.go();
    }
  };
}

/** Never throws: every member is told, but for those that are to run alone, which it gives back. */
async function runTogether<Task, Result>(
  members: readonly Member<Task, Result>[],
  { run, mostMs }: BatchesOptions<Task, Result>,
): Promise<Member<Task, Result>[]> {
  if (members.length === 0) return [];
  const present = new Set(members);
  const deserted = new AbortController();
  for (const member of members) {
    member.clock.go();
    member.leave = () => {
      present.delete(member);
      // the last one waits until nothing of the run is left
      if (present.size === 0) deserted.abort();
      else member.result.reject(canceled());
    };
  }
  const late = members.length > 1 ? createDeadline(mostMs) : null;
  const signals = late === null ? [deserted.signal] : [deserted.signal, late.signal];
  try {
    const tasks = members.map(({ task }) => task);
    const results = await run(tasks, AbortSignal.any(signals));
    for (const [index, { result }] of members.entries()) result.resolve(results[index] as Result);
    return [];
  } catch (err) {
    if (members.length > 1 && present.size > 0)
      return [...present].map((member) => Object.assign(member, { isAlone: true }));
    for (const { result, signal } of members) result.reject(signal.aborted ? canceled() : err);
    return [];
  } finally {
    late?.end();
  }
}

const NEVER = new AbortController().signal;

/** Whoever waits longest, and who goes with it. */
function takeSome<Task, Result>(
  waiting: Member<Task, Result>[],
  { most, mostWeight, weightOf }: BatchesOptions<Task, Result>,
): Member<Task, Result>[] {
  const first = waiting.shift();
  if (first === undefined) return [];
  if (first.isAlone) return [first];
  let weight = weightOf(first.task);
  const joining: Member<Task, Result>[] = [];
  for (const member of waiting) {
    const together = weight + weightOf(member.task);
    if (member.isAlone || together > mostWeight || joining.length + 1 >= most) continue;
    weight = together;
    joining.push(member);
  }
  for (const member of joining) waiting.splice(waiting.indexOf(member), 1);
  return [first, ...joining];
}
