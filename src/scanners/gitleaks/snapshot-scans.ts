import { join } from 'node:path';
import { createBatches } from '../../concurrency/batcher.ts';
import type { Turns } from '../../concurrency/limiter.ts';
import { inTurn } from '../../concurrency/limiter.ts';
import { layOut } from '../bare-repository.ts';
import type { ScannerInput } from '../scanner.ts';
import type { Snapshot } from '../snapshot.ts';
import { SHA256_HEX_LENGTH } from '../snapshot.ts';
import type { Leak } from './report.ts';
import type { GitleaksProgram } from './run.ts';
import { readLess, runGitleaks } from './run.ts';

/** gitleaks compiles its rules for a tenth of a second, whatever it is given to read; small snapshots share that. */
const MOST_SNAPSHOTS = 16;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_MS = 60_000;
/** Half of what is under way waits for the other half no longer. */
const PATIENCE_MS = 2_000;
const LOG_OPTIONS = ['--text', '--no-renames'];

type Task = Pick<ScannerInput, 'snapshot' | 'folder' | 'neighbours'>;

export interface Places {
  /** One for each run of gitleaks. */
  takeTurn: Turns;
  /** Fewer, for small snapshots: what waits for one is read together by the next. */
  takeSmallTurn: Turns;
}

/** Reads snapshots, small ones that wait together: each is one commit, by which leaks tell whose they are. */
export function createSnapshotScans(
  program: GitleaksProgram & Places,
): (input: ScannerInput) => Promise<readonly Leak[]> {
  const { takeTurn, takeSmallTurn } = program;
  const scanSmall = createBatches<Task, readonly Leak[]>({
    takeTurn: (signal, work) => takeSmallTurn(signal, () => takeTurn(signal, work)),
    enough: ({ neighbours }) => Math.ceil((1 + neighbours) / 2),
    patienceMs: PATIENCE_MS,
    most: MOST_SNAPSHOTS,
    mostWeight: MOST_BYTES,
    mostMs: MOST_MS,
    weightOf: ({ snapshot }) => snapshot.bytes,
    run: (tasks, signal) => scanTogether({ program, tasks, signal }),
  });
  return async (input) => {
    if (isSmall(input.snapshot)) return scanSmall(input, input);
    return inTurn({ ...input, takeTurn }, async () => {
      const [leaks = []] = await scanTogether({ program, tasks: [input], signal: input.signal });
      return leaks;
    });
  };
}

/** Names of objects are of one kind in a repository, also in the one over several. */
function isSmall({ bytes, commit }: Snapshot): boolean {
  return bytes <= MOST_BYTES && commit.length !== SHA256_HEX_LENGTH;
}

/** What it says it read has to be what there was. */
async function scanTogether(input: {
  program: GitleaksProgram;
  tasks: readonly Task[];
  signal: AbortSignal;
}): Promise<Leak[][]> {
  const { program, tasks, signal } = input;
  // copies of a repository have the same snapshot
  const byPicture = new Map(tasks.map(({ snapshot }) => [snapshot.picture, snapshot]));
  const { gitDirectory, folder } = await placeFor(tasks, [...byPicture.values()]);
  const logOptions = [...LOG_OPTIONS, ...byPicture.keys()];
  const { leaks, extent } = await runGitleaks({ ...program, gitDirectory, logOptions, folder, signal });
  const withText = [...byPicture.values()].filter(({ bytes }) => bytes > 0);
  const bytes = withText.reduce((sum, snapshot) => sum + snapshot.bytes, 0);
  if (extent.bytes !== bytes || extent.commits !== withText.length) throw readLess();
  if (leaks.some(({ commit }) => !byPicture.has(commit))) throw readLess();
  return tasks.map(({ snapshot }) => leaks.filter(({ commit }) => commit === snapshot.picture));
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
  await layOut({ gitDirectory, over: snapshots.map((one) => one.gitDirectory) });
  return { gitDirectory, folder };
}
