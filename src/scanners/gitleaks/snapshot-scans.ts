import { join } from 'node:path';
import { createBatcher } from '../../concurrency/batcher.ts';
import type { Limiter } from '../../concurrency/limiter.ts';
import { runWithPausedStopwatch } from '../../concurrency/limiter.ts';
import { createBareRepository } from '../../subprocess/bare-repository.ts';
import type { ScannerInput } from '../scanner.ts';
import type { Snapshot } from '../snapshot.ts';
import { SHA256_HEX_LENGTH } from '../snapshot.ts';
import type { Leak } from './report.ts';
import type { GitleaksProgram } from './run.ts';
import { incompleteReadError, runGitleaks } from './run.ts';

/** gitleaks compiles its rules for a tenth of a second, whatever it is given to read; small snapshots share that. */
const MAX_SNAPSHOTS = 16;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_TIMEOUT_MS = 60_000;
/** Half of what is under way waits for the other half no longer. */
const MAX_WAIT_MS = 2_000;
const LOG_OPTIONS = ['--text', '--no-renames'];

type Task = Pick<ScannerInput, 'snapshot' | 'folder' | 'concurrentScans'>;

export interface Places {
  /** One for each run of gitleaks. */
  limiter: Limiter;
  /** Fewer, for small snapshots: what waits for one is read together by the next. */
  smallScanLimiter: Limiter;
}

/** Reads snapshots, small ones that wait together: each is one commit, by which leaks tell whose they are. */
export function createSnapshotScans(
  program: GitleaksProgram & Places,
): (input: ScannerInput) => Promise<readonly Leak[]> {
  const { limiter, smallScanLimiter } = program;
  const scanSmall = createBatcher<Task, readonly Leak[]>({
    limiter: (signal, work) => smallScanLimiter(signal, () => limiter(signal, work)),
    minBatchSize: ({ concurrentScans }) => Math.ceil((1 + concurrentScans) / 2),
    maxWaitMs: MAX_WAIT_MS,
    maxBatchSize: MAX_SNAPSHOTS,
    maxBatchWeight: MAX_BATCH_BYTES,
    timeoutMs: BATCH_TIMEOUT_MS,
    weightOf: ({ snapshot }) => snapshot.bytes,
    run: (tasks, signal) => scanTogether({ program, tasks, signal }),
  });
  return async (input) => {
    if (isSmall(input.snapshot)) return scanSmall(input, input);
    return runWithPausedStopwatch({ ...input, limiter }, async () => {
      const [leaks = []] = await scanTogether({ program, tasks: [input], signal: input.signal });
      return leaks;
    });
  };
}

/** Names of objects are of one kind in a repository, also in the one over several. */
function isSmall({ bytes, commit }: Snapshot): boolean {
  return bytes <= MAX_BATCH_BYTES && commit.length !== SHA256_HEX_LENGTH;
}

/** What it says it read has to be what there was. */
async function scanTogether(input: {
  program: GitleaksProgram;
  tasks: readonly Task[];
  signal: AbortSignal;
}): Promise<Leak[][]> {
  const { program, tasks, signal } = input;
  // copies of a repository have the same snapshot
  const bySnapshotCommit = new Map(tasks.map(({ snapshot }) => [snapshot.snapshotCommit, snapshot]));
  const { gitDirectory, folder } = await placeFor(tasks, [...bySnapshotCommit.values()]);
  const logOptions = [...LOG_OPTIONS, ...bySnapshotCommit.keys()];
  const { leaks, extent } = await runGitleaks({ ...program, gitDirectory, logOptions, folder, signal });
  const withText = [...bySnapshotCommit.values()].filter(({ bytes }) => bytes > 0);
  const bytes = withText.reduce((sum, snapshot) => sum + snapshot.bytes, 0);
  if (extent.bytes !== bytes || extent.commits !== withText.length) throw incompleteReadError();
  if (leaks.some(({ commit }) => !bySnapshotCommit.has(commit))) throw incompleteReadError();
  return tasks.map(({ snapshot }) => leaks.filter(({ commit }) => commit === snapshot.snapshotCommit));
}

/** A snapshot is read in its clone, several through a repository over all of theirs, in the folder of the first. */
async function placeFor(
  tasks: readonly Task[],
  snapshots: readonly Snapshot[],
): Promise<{ gitDirectory: string; folder: string }> {
  const folder = tasks[0]?.folder ?? '';
  const [only, ...more] = snapshots;
  if (only !== undefined && more.length === 0) return { gitDirectory: only.gitDirectory, folder };
  const gitDirectory = join(folder, 'together.git');
  await createBareRepository({ gitDirectory, alternates: snapshots.map((one) => one.gitDirectory) });
  return { gitDirectory, folder };
}
