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

/**
 * Each run of gitleaks compiles all rules, which takes a tenth of a second, so small snapshots are scanned in one run.
 */
const MAX_SNAPSHOTS = 16;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_TIMEOUT_MS = 60_000;
/** How long a small snapshot waits for others to share a run. */
const MAX_WAIT_MS = 2_000;
export const LOG_OPTIONS = ['--text', '--no-renames'];

type Task = Pick<ScannerInput, 'snapshot' | 'folder' | 'concurrentScans'>;

export interface SnapshotLeaks {
  leaks: readonly Leak[];
  hasMore: boolean;
}

interface Limiters {
  limiter: Limiter;
  smallSnapshotLimiter: Limiter;
}

/** Scans snapshots; small ones that wait at the same time share a run. Leaks name their snapshot by its commit. */
export function createSnapshotScans(
  program: GitleaksProgram & Limiters,
): (input: ScannerInput) => Promise<SnapshotLeaks> {
  const { limiter, smallSnapshotLimiter } = program;
  const scanSmall = createBatcher<Task, SnapshotLeaks>({
    limiter: (signal, work) => smallSnapshotLimiter(signal, () => limiter(signal, work)),
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
      const [result] = await scanTogether({ program, tasks: [input], signal: input.signal });
      return result ?? { leaks: [], hasMore: false };
    });
  };
}

/** A repository cannot have alternates with SHA-1 and SHA-256 names, so SHA-256 snapshots are scanned alone. */
function isSmall({ bytes, commit }: Snapshot): boolean {
  return bytes <= MAX_BATCH_BYTES && commit.length !== SHA256_HEX_LENGTH;
}

/** @throws SecuError `scanner_crashed` unless gitleaks read exactly the bytes and commits that it was given */
async function scanTogether(input: {
  program: GitleaksProgram;
  tasks: readonly Task[];
  signal: AbortSignal;
}): Promise<SnapshotLeaks[]> {
  const { program, tasks, signal } = input;
  // copies of a repository have the same snapshot commit
  const bySnapshotCommit = new Map(tasks.map(({ snapshot }) => [snapshot.snapshotCommit, snapshot]));
  const { gitDirectory, folder } = await repositoryFor(tasks, [...bySnapshotCommit.values()]);
  const logOptions = [...LOG_OPTIONS, ...bySnapshotCommit.keys()];
  const { leaks, extent, hasMore } = await runGitleaks({
    ...program,
    gitDirectory,
    borrowed: [...bySnapshotCommit.values()].map((snapshot) => snapshot.gitDirectory),
    logOptions,
    folder,
    signal,
  });
  const withText = [...bySnapshotCommit.values()].filter(({ bytes }) => bytes > 0);
  const bytes = withText.reduce((sum, snapshot) => sum + snapshot.bytes, 0);
  if (extent.bytes !== bytes || extent.commits !== withText.length) throw incompleteReadError();
  if (leaks.some(({ commit }) => !bySnapshotCommit.has(commit))) throw incompleteReadError();
  // the leaks of one snapshot may have displaced those of another; the batcher then runs each snapshot alone
  if (hasMore && tasks.length > 1) throw incompleteReadError();
  return tasks.map(({ snapshot }) => ({
    leaks: leaks.filter(({ commit }) => commit === snapshot.snapshotCommit),
    hasMore,
  }));
}

/**
 * The repository that gitleaks reads: the clone of a single snapshot, or for several a new repository that has all
 * clones as alternates.
 */
async function repositoryFor(
  tasks: readonly Task[],
  snapshots: readonly Snapshot[],
): Promise<{ gitDirectory: string; folder: string }> {
  const folder = tasks[0]?.folder ?? '';
  const [only, ...more] = snapshots;
  if (only !== undefined && more.length === 0) return { gitDirectory: only.gitDirectory, folder };
  const gitDirectory = join(folder, 'shared.git');
  await createBareRepository({ gitDirectory, alternates: snapshots.map((one) => one.gitDirectory) });
  return { gitDirectory, folder };
}
