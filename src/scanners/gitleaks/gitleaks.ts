import { createHash } from 'node:crypto';
import type { Limiter } from '../../concurrency/limiter.ts';
import { allEntries } from '../coverage.ts';
import { BINARY_EXTENSIONS } from '../file-kinds.ts';
import { FINGERPRINT_VERSION } from '../fingerprint.ts';
import type { FoundInFile } from '../found.ts';
import type { Scanner, ScannerInput } from '../scanner.ts';
import { SOURCE_ENCODINGS } from '../text-encoding.ts';
import { foundOf, identityOf } from './findings.ts';
import { HISTORY_OPTIONS } from './history.ts';
import type { Leak } from './report.ts';
import { RULE_IDS, RULES } from './rules.ts';
import type { GitleaksProgram } from './run.ts';
import { incompleteReadError } from './run.ts';
import type { PastLeak, PastScan } from './scan-history.ts';
import { scanHistory } from './scan-history.ts';
import { SEVERITY_TABLE } from './severity.ts';
import { createSnapshotScans } from './snapshot-scans.ts';

export interface GitleaksOptions extends GitleaksProgram {
  version: string;
  blobMaxBytes: number;
  /** For each run of gitleaks. */
  limiter: Limiter;
  /** For small snapshots: the next run reads all waiting snapshots together. */
  smallSnapshotLimiter: Limiter;
}

const NO_PAST: PastScan = {
  leaks: [],
  introduced: new Map(),
  skipped: [],
  unreadCommits: [],
  hasMore: false,
};

/**
 * Runs gitleaks over the snapshot, and over past commits if they are asked for. gitleaks never reads the repository's
 * own configuration, ignore file, comments or attributes. What it reports as read is compared with its input.
 */
export function createGitleaks(options: GitleaksOptions): Scanner {
  const { version } = options;
  const scanSnapshot = createSnapshotScans(options);
  return {
    name: 'gitleaks',
    version,
    rules: rulesHash(version),
    ruleIds: RULE_IDS,
    applies: () => true,
    scopeOf: allEntries,
    async scan(input) {
      const { leaks, hasMore } = await scanSnapshot(input);
      const files = atHead({ leaks, input });
      const known = new Set(files.map(identityOf));
      const { past: revisions } = input;
      const past =
        revisions === null ? NO_PAST : await scanHistory({ options, scan: input, revisions, known });
      const { introduced } = past;
      return {
        files: [
          ...byFile({ leaks: files, atHead: true, introduced }),
          ...byFile({ leaks: past.leaks, atHead: false, introduced }),
        ],
        ...readAtHead(input),
        past: { skipped: past.skipped, unreadCommits: past.unreadCommits },
        hasMore: hasMore || past.hasMore,
      };
    },
  };
}

/** Every file of the snapshot was read; otherwise `scanSnapshot` would have failed. */
function readAtHead({ snapshot }: ScannerInput) {
  const skipped = new Set(snapshot.skipped.map(({ entry }) => entry));
  const entries = [...snapshot.files.values()].map(({ entry }) => entry);
  return { read: new Set(entries.filter((entry) => !skipped.has(entry))), skipped: snapshot.skipped };
}

function rulesHash(version: string): string {
  const parts = [
    `gitleaks ${version}`,
    RULES,
    BINARY_EXTENSIONS.join(' '),
    HISTORY_OPTIONS.join(' '),
    SOURCE_ENCODINGS.join(' '),
    SEVERITY_TABLE,
    FINGERPRINT_VERSION,
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

/** A leak that is in the original and in its decoded copy counts once, in the original. */
function atHead({ leaks, input }: { leaks: readonly Leak[]; input: ScannerInput }): PastLeak[] {
  const { files, commit } = input.snapshot;
  const found = leaks.map((leak): PastLeak => {
    const file = files.get(leak.file);
    if (file === undefined) throw incompleteReadError();
    const { path, objectId, encoding } = file;
    return { leak, path, commit, object: objectId, encoding };
  });
  const asTheyAre = new Set(found.filter(({ encoding }) => encoding === null).map(identityOf));
  return found.filter((one) => one.encoding === null || !asTheyAre.has(identityOf(one)));
}

function byFile(input: {
  leaks: readonly PastLeak[];
  atHead: boolean;
  introduced: PastScan['introduced'];
}): FoundInFile[] {
  const { leaks, atHead, introduced } = input;
  const groups = Map.groupBy(leaks, ({ path, commit, object, encoding }) =>
    JSON.stringify([path, commit, object, encoding]),
  );
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { path, commit, object, encoding } = first;
    const found = same.map((one) => foundOf(one.leak, introduced.get(identityOf(one)) ?? null));
    return [{ path, commit, object, encoding, atHead, found }];
  });
}
