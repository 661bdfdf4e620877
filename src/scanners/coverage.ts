import type { ScannerResult } from './scanner.ts';
import type { Snapshot } from './snapshot.ts';

/** Every entry of the commit is either in the snapshot or skipped for a reason. */
export function coversCommit({ entryCount, files, skipped }: Snapshot): boolean {
  const entries = new Set([...files.values(), ...skipped].map(({ entry }) => entry));
  return entries.size === entryCount;
}

/**
 * Checks that every entry in the scanner's scope is in exactly one list: read, or skipped for a reason.
 * @param scope the entries that the scanner covers, counted independently of the scanner
 */
export function coversScope({
  scope,
  result,
}: {
  scope: ReadonlySet<number>;
  result: Pick<ScannerResult, 'read' | 'skipped'>;
}): boolean {
  const skipped = new Set(result.skipped.map(({ entry }) => entry));
  const listed = [...result.read, ...skipped];
  return (
    new Set(listed).size === listed.length &&
    listed.length === scope.size &&
    listed.every((one) => scope.has(one))
  );
}

/** All entries of the commit. */
export function allEntries({ entryCount }: Snapshot): Set<number> {
  return new Set(Array.from({ length: entryCount }, (_, entry) => entry));
}
