import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Limiter } from '../../concurrency/limiter.ts';
import { runWithPausedStopwatch } from '../../concurrency/limiter.ts';
import { isSecuError } from '../../domain/errors.ts';
import { BINARY_EXTENSIONS } from '../file-kinds.ts';
import type { ScannerInput } from '../scanner.ts';
import type { SkippedFile } from '../snapshot.ts';
import type { SourceEncoding } from '../text-encoding.ts';
import type { DecodedHistory } from './decoded-history.ts';
import { decodeHistory } from './decoded-history.ts';
import { identityOf } from './findings.ts';
import type { History } from './history.ts';
import { commitArguments, historyArguments, largePaths, readHistory, unreadablePaths } from './history.ts';
import type { Leak } from './report.ts';
import type { GitleaksProgram, GitleaksRun } from './run.ts';
import { incompleteReadError, runGitleaks } from './run.ts';
import { LOG_OPTIONS } from './snapshot-scans.ts';

/** Commits per run during the search for unreadable ones; the command line is limited. */
const COMMITS_PER_RUN = 1_000;
/** If more commits than this are unreadable, the cause is the program, not the commits. */
const MAX_UNREAD_COMMITS = 20;

/** A leak at the commit that added it. */
export interface PastLeak {
  leak: Leak;
  path: string;
  commit: string;
  /** The content's name for `git cat-file`; `null` if it has none. */
  object: string | null;
  encoding: SourceEncoding | null;
}

export interface PastScan {
  /** Leaks that the head does not hold. */
  leaks: PastLeak[];
  /** The oldest commit that added each leak, at the head too, by `identityOf`. */
  introduced: ReadonlyMap<string, string>;
  /** Unread paths, in addition to those of the head. */
  skipped: Pick<SkippedFile, 'path' | 'reason'>[];
  unreadCommits: string[];
  hasMore: boolean;
}

type Options = GitleaksProgram & { limiter: Limiter; blobMaxBytes: number };

/**
 * Finds leaks that only the past holds: for each secret and path, at the newest commit that added it. For leaks
 * at the head, finds the commit that introduced them.
 */
export async function scanHistory(input: {
  options: Options;
  scan: ScannerInput;
  revisions: readonly string[];
  /** Identities of the leaks at the head. */
  known: ReadonlySet<string>;
}): Promise<PastScan> {
  const { options, scan, revisions, known } = input;
  const { git, gitDirectory } = scan.snapshot;
  const history = await readHistory({ git, revisions });
  const large = largePaths(history, options.blobMaxBytes);
  const decoded = await decodeHistory({ scan, history, blobMaxBytes: options.blobMaxBytes });
  const run = (logOptions: readonly string[]) =>
    runWithPausedStopwatch({ ...scan, limiter: options.limiter }, () =>
      runGitleaks({ ...options, ...scan, gitDirectory, logOptions }),
    );
  const texts = await withAttributes({ gitDirectory, large }, () =>
    scanTexts({ run, history, revisions, scan }),
  );
  const pastTexts = texts.leaks.map((leak) => textLeak(leak));
  const asTheyAre = new Set(texts.leaks.map((leak) => identityOf({ leak, path: leak.file })));
  const decodedRun = await scanDecoded({ run, decoded });
  const pastDecoded = decodedRun.leaks.filter((past) => !asTheyAre.has(identityOf(past)));
  const isAtHead = new Set(scan.snapshot.skipped.map(({ path, reason }) => `${reason} ${path}`));
  const skipped = [
    ...large.map((path) => ({ path, reason: 'too_large' as const })),
    ...unreadablePaths(history).map((path) => ({ path, reason: 'unreadable' as const })),
    ...decoded.undecodable.map((path) => ({ path, reason: 'undecodable' as const })),
  ].filter(({ path, reason }) => !isAtHead.has(`${reason} ${path}`));
  const all = [...pastTexts, ...pastDecoded];
  return {
    leaks: newestOf(
      all.filter((past) => !known.has(identityOf(past))),
      history,
    ),
    introduced: oldestOf(all, history),
    skipped,
    unreadCommits: texts.unreadCommits,
    hasMore: texts.hasMore || decodedRun.hasMore,
  };
}

type Run = (logOptions: readonly string[]) => Promise<GitleaksRun>;

interface TextScan {
  leaks: Leak[];
  unreadCommits: string[];
  hasMore: boolean;
}

/**
 * Runs over all commits at once. If that fails, runs over fewer commits at a time until the unreadable ones are
 * known.
 */
async function scanTexts(input: {
  run: Run;
  history: History;
  revisions: readonly string[];
  scan: Pick<ScannerInput, 'signal'>;
}): Promise<TextScan> {
  const { run, history, revisions, scan } = input;
  const { commitsWithText } = history;
  if (commitsWithText.length === 0) return { leaks: [], unreadCommits: [], hasMore: false };
  try {
    const { leaks, extent, hasMore } = await run(historyArguments(revisions));
    if (extent.commits !== commitsWithText.length) throw incompleteReadError();
    return { leaks, unreadCommits: [], hasMore };
  } catch (err) {
    if (!isSecuError(err, 'scanner_crashed') || scan.signal.aborted) throw err;
    const result: TextScan = { leaks: [], unreadCommits: [], hasMore: false };
    for (let at = 0; at < commitsWithText.length; at += COMMITS_PER_RUN)
      await scanCommits({
        run,
        commits: commitsWithText.slice(at, at + COMMITS_PER_RUN),
        result,
        signal: scan.signal,
      });
    if (result.unreadCommits.length === commitsWithText.length) throw err;
    return result;
  }
}

async function scanCommits(input: {
  run: Run;
  commits: readonly string[];
  result: TextScan;
  signal: AbortSignal;
}): Promise<void> {
  const { run, commits, result, signal } = input;
  try {
    const { leaks, extent, hasMore } = await run(commitArguments(commits));
    if (extent.commits !== commits.length) throw incompleteReadError();
    result.leaks.push(...leaks);
    result.hasMore ||= hasMore;
  } catch (err) {
    if (!isSecuError(err, 'scanner_crashed') || signal.aborted) throw err;
    const [first = ''] = commits;
    if (commits.length === 1) {
      result.unreadCommits.push(first);
      if (result.unreadCommits.length > MAX_UNREAD_COMMITS) throw err;
      return;
    }
    const middle = Math.ceil(commits.length / 2);
    await scanCommits({ ...input, commits: commits.slice(0, middle) });
    await scanCommits({ ...input, commits: commits.slice(middle) });
  }
}

async function scanDecoded(input: {
  run: Run;
  decoded: DecodedHistory;
}): Promise<{ leaks: PastLeak[]; hasMore: boolean }> {
  const { run, decoded } = input;
  const { snapshotCommit, files, bytes } = decoded;
  if (snapshotCommit === null) return { leaks: [], hasMore: false };
  const { leaks, extent, hasMore } = await run([...LOG_OPTIONS, snapshotCommit]);
  if (extent.bytes !== bytes || extent.commits !== (bytes > 0 ? 1 : 0)) throw incompleteReadError();
  const past = leaks.map((leak): PastLeak => {
    const version = files.get(leak.file);
    if (version === undefined) throw incompleteReadError();
    const { path, commit, objectId, encoding } = version;
    return { leak, path, commit, object: objectId, encoding };
  });
  return { leaks: past, hasMore };
}

function textLeak(leak: Leak): PastLeak {
  const { commit, file: path } = leak;
  return { leak, path, commit, object: path.includes('\n') ? null : `${commit}:${path}`, encoding: null };
}

function newestOf(leaks: readonly PastLeak[], { rank }: History): PastLeak[] {
  const rankOf = ({ commit }: PastLeak) => rank.get(commit) ?? Number.POSITIVE_INFINITY;
  return [...Map.groupBy(leaks, identityOf).values()].flatMap((same) => {
    const newest = same.reduce((min, past) => Math.min(min, rankOf(past)), Number.POSITIVE_INFINITY);
    const there = same.filter((past) => rankOf(past) === newest);
    // A file with a suspicious name is a leak in each of its changes.
    return there.filter(({ leak }, index) => leak.startLine > 0 || index === 0);
  });
}

function oldestOf(leaks: readonly PastLeak[], { rank }: History): Map<string, string> {
  const oldest = new Map<string, string>();
  for (const past of leaks) {
    const { commit } = past;
    const identity = identityOf(past);
    const before = rank.get(oldest.get(identity) ?? '') ?? -1;
    if ((rank.get(commit) ?? -1) > before) oldest.set(identity, commit);
  }
  return oldest;
}

/** While the work runs, git treats large and binary files as binary. */
async function withAttributes<T>(
  input: { gitDirectory: string; large: readonly string[] },
  work: () => Promise<T>,
): Promise<T> {
  const attributes = join(input.gitDirectory, 'info', 'attributes');
  const forTheSnapshot = await readFile(attributes);
  await appendFile(attributes, [...binaryPatterns(), ...input.large.map(attributePattern)].join(''));
  const result = await work();
  await writeFile(attributes, forTheSnapshot);
  return result;
}

function binaryPatterns(): string[] {
  const anyCase = (extension: string) =>
    extension.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
  return BINARY_EXTENSIONS.map((extension) => `*.${anyCase(extension)} -diff\n`);
}

/** Excludes exactly this path. @see gitattributes(5), gitignore(5), "PATTERN FORMAT" */
function attributePattern(path: string): string {
  const literal = `/${path.replace(/[\\*?[\]]/g, '\\$&')}`;
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}" -diff\n`;
}
