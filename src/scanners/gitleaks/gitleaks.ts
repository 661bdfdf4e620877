import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runWithPausedStopwatch } from '../../concurrency/limiter.ts';
import type { SkippedFiles } from '../../domain/scan.ts';
import { BINARY_EXTENSIONS } from '../file-kinds.ts';
import { FINGERPRINT_VERSION } from '../fingerprint.ts';
import type { Scanner, ScannerInput } from '../scanner.ts';
import type { SkippedFile } from '../snapshot.ts';
import { countSkips } from '../snapshot.ts';
import type { WideEncoding } from '../text-encoding.ts';
import { foundOf, identityOf } from './findings.ts';
import { HISTORY_OPTIONS, historyArguments, largePaths, readHistory } from './history.ts';
import type { Leak } from './report.ts';
import type { GitleaksProgram } from './run.ts';
import { incompleteReadError, RULES_FILE, runGitleaks } from './run.ts';
import { SEVERITY_TABLE } from './severity.ts';
import type { Places } from './snapshot-scans.ts';
import { createSnapshotScans } from './snapshot-scans.ts';

export interface GitleaksOptions extends GitleaksProgram, Places {
  version: string;
  blobMaxBytes: number;
}

/** Leaks of one file at one commit. */
interface LeakyFile {
  path: string;
  commit: string;
  /** Names the content to `git cat-file`; `null` where it cannot be named. */
  object: string | null;
  encoding: WideEncoding | null;
  leaks: readonly Leak[];
}

/**
 * gitleaks over the snapshot, and with `history` over all commits too. It never sees the repository's own
 * configuration, ignore file, comments or attributes, and what it says it read is held against what there was.
 */
export function createGitleaks(options: GitleaksOptions): Scanner {
  const { version } = options;
  const scanSnapshot = createSnapshotScans(options);
  return {
    name: 'gitleaks',
    version,
    rules: rulesHash(version),
    applies: () => true,
    async scan(input) {
      const leaks = await scanSnapshot(input);
      const files = atHead({ leaks, input });
      const past = input.history === 'full' ? await scanHistory({ options, input, files }) : NOTHING_PAST;
      const all = [...files, ...past.files];
      return {
        files: all.map(({ leaks: ofFile, ...file }) => ({ ...file, found: ofFile.map(foundOf) })),
        filesScanned: input.snapshot.fileCount,
        filesSkipped: [...countSkips(input.snapshot.skipped), ...past.skipped],
      };
    },
  };
}

const NOTHING_PAST = { files: [] as LeakyFile[], skipped: [] as SkippedFiles[] };

/** gitleaks' version stands for its default rules, which are built into it. */
function rulesHash(version: string): string {
  const parts = [
    `gitleaks ${version}`,
    readFileSync(RULES_FILE, 'utf8'),
    BINARY_EXTENSIONS.join(' '),
    HISTORY_OPTIONS.join(' '),
    SEVERITY_TABLE,
    FINGERPRINT_VERSION,
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function atHead({ leaks, input }: { leaks: readonly Leak[]; input: ScannerInput }): LeakyFile[] {
  const { files, commit } = input.snapshot;
  const byName = Map.groupBy(leaks, (leak) => leak.file);
  const leaky = [...byName].map(([name, ofFile]): LeakyFile => {
    const file = files.get(name);
    if (file === undefined) throw incompleteReadError();
    const { path, objectId, encoding } = file;
    return { path, commit, object: objectId, encoding, leaks: ofFile };
  });
  const asTheyAre = identitiesOf(leaky.filter(({ encoding }) => encoding === null));
  return leaky.map((file) => {
    if (file.encoding === null) return file;
    const { path, leaks: ofFile } = file;
    return { ...file, leaks: ofFile.filter((leak) => !asTheyAre.has(identityOf({ leak, path }))) };
  });
}

function identitiesOf(files: readonly LeakyFile[]): Set<string> {
  return new Set(files.flatMap(({ path, leaks }) => leaks.map((leak) => identityOf({ leak, path }))));
}

/**
 * What only the past holds: of each secret and path the newest commit that brought it in. What is at the head was
 * found there.
 */
async function scanHistory(parts: {
  options: GitleaksOptions;
  input: ScannerInput;
  files: readonly LeakyFile[];
}): Promise<{ files: LeakyFile[]; skipped: SkippedFiles[] }> {
  const { options, input, files } = parts;
  const { git, commit, gitDirectory } = input.snapshot;
  const large = await largePaths({ git, commit, blobMaxBytes: options.blobMaxBytes });
  const attributes = join(gitDirectory, 'info', 'attributes');
  const forTheSnapshot = await readFile(attributes);
  await appendFile(attributes, [...binaryPatterns(), ...large.map(attributePattern)].join(''));
  const history = await readHistory({ git, commit });
  const { leaks, extent } = await runWithPausedStopwatch({ ...input, limiter: options.limiter }, () =>
    runGitleaks({ ...options, ...input, gitDirectory, logOptions: historyArguments(commit) }),
  );
  await writeFile(attributes, forTheSnapshot);
  if (extent.commits !== history.commitsWithText) throw incompleteReadError();
  const known = identitiesOf(files);
  const past = leaks.filter((leak) => !known.has(identityOf({ leak, path: leak.file })));
  const rankOf = (leak: Leak) => history.rank.get(leak.commit) ?? Number.POSITIVE_INFINITY;
  const byIdentity = Map.groupBy(past, (leak) => identityOf({ leak, path: leak.file }));
  const newest = [...byIdentity.values()].flatMap((same) => {
    const rank = same.reduce((least, leak) => Math.min(least, rankOf(leak)), Number.POSITIVE_INFINITY);
    const there = same.filter((leak) => rankOf(leak) === rank);
    // A file that is a finding by its name is one in each of its changes.
    return there.filter((leak, index) => leak.startLine > 0 || index === 0);
  });
  const byFile = Map.groupBy(newest, (leak) => JSON.stringify([leak.commit, leak.file]));
  const counted = new Set(input.snapshot.skipped.filter(isTooLarge).map(({ path }) => path));
  const count = large.filter((path) => !counted.has(path)).length;
  const skipped: SkippedFiles[] = [];
  if (count > 0) skipped.push({ reason: 'too_large', count });
  if (history.unreadable > 0) skipped.push({ reason: 'unreadable', count: history.unreadable });
  return { files: [...byFile.values()].map(pastFile), skipped };
}

function isTooLarge({ reason }: SkippedFile): boolean {
  return reason === 'too_large';
}

function binaryPatterns(): string[] {
  const anyCase = (extension: string) =>
    extension.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
  return BINARY_EXTENSIONS.map((extension) => `*.${anyCase(extension)} -diff\n`);
}

function pastFile(leaks: readonly Leak[]): LeakyFile {
  const [first] = leaks;
  const { commit = '', file: path = '' } = first ?? {};
  const object = path.includes('\n') ? null : `${commit}:${path}`;
  return { path, commit, object, encoding: null, leaks };
}

/** Leaves out this path and no other. @see gitattributes(5), gitignore(5), "PATTERN FORMAT" */
function attributePattern(path: string): string {
  const literal = `/${path.replace(/[\\*?[\]]/g, '\\$&')}`;
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}" -diff\n`;
}
