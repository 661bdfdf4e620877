import type { Snapshot, SnapshotFile } from '../snapshot.ts';

export const CODE_LANGUAGES = ['javascript', 'python', 'go', 'java', 'gitlab-ci'] as const;
/** The languages that have rules. */
export type CodeLanguage = (typeof CODE_LANGUAGES)[number];
/** The parser of a file; ast-grep includes the first three. */
export type Parser = 'JavaScript' | 'TypeScript' | 'Tsx' | 'python' | 'go' | 'java' | 'yaml';

export interface CodeKind {
  language: CodeLanguage;
  parser: Parser;
}

/** Larger files are usually generated, and parsing takes hundreds of times their size in memory. */
export const MAX_CODE_BYTES = 1024 * 1024;
const MIN_MINIFIED_BYTES = 5_000;
const MAX_MEAN_LINE_BYTES = 400;
const NEWLINE = 0x0a;

const BY_NAME: ReadonlyArray<readonly [RegExp, CodeKind]> = [
  [
    /(?:^|\/|\.)\.?gitlab-ci\.ya?ml$|^\.gitlab(?:-ci)?\/(?:.*\/)?[^/]+\.ya?ml$/,
    { language: 'gitlab-ci', parser: 'yaml' },
  ],
  [/\.[cm]?ts$/i, { language: 'javascript', parser: 'TypeScript' }],
  [/\.tsx$/i, { language: 'javascript', parser: 'Tsx' }],
  [/\.(?:[cm]?js|jsx)$/i, { language: 'javascript', parser: 'JavaScript' }],
  [/\.pyw?$/i, { language: 'python', parser: 'python' }],
  [/\.go$/i, { language: 'go', parser: 'go' }],
  [/\.java$/i, { language: 'java', parser: 'java' }],
];
const VENDORED =
  /(?:^|\/)(?:node_modules|bower_components|vendor|third_party|site-packages|\.?venv|\.yarn)\//;
const MINIFIED_NAME = /[.-]min\.[cm]?js$/i;

/** Part of the hash of the rules, because it decides what is found. */
export const FILE_RULES = JSON.stringify([
  BY_NAME.map(([pattern, kind]) => [pattern.source, kind]),
  [VENDORED.source, MINIFIED_NAME.source, MAX_CODE_BYTES, MIN_MINIFIED_BYTES, MAX_MEAN_LINE_BYTES],
]);

/** The language of a file; `null` if it has no rules. */
export function codeKindOf(path: string): CodeKind | null {
  return BY_NAME.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

export interface CodeFile extends SnapshotFile {
  kind: CodeKind;
}

/** The files that have rules; if a file was decoded, its decoded copy. */
export function codeFilesOf({ files }: Snapshot): CodeFile[] {
  const byEntry = new Map<number, CodeFile>();
  for (const file of files.values()) {
    const kind = codeKindOf(file.path);
    if (kind === null) continue;
    const isDecoded = file.encoding !== null && file.encoding !== 'embedded';
    if (isDecoded || !byEntry.has(file.entry)) byEntry.set(file.entry, { ...file, kind });
  }
  return [...byEntry.values()];
}

/** The entries of the commit that have rules. */
export function codeEntries({ files, skipped }: Snapshot): Set<number> {
  const code = [...files.values()].filter(({ path }) => codeKindOf(path) !== null);
  return new Set([...code, ...skipped.filter(isSkippedCodeFile)].map(({ entry }) => entry));
}

/** Whether a file that is missing from the snapshot, in whole or in part, is code. */
export function isSkippedCodeFile({ path, reason }: Snapshot['skipped'][number]): boolean {
  return isSkippedCode(reason) && codeKindOf(path) !== null;
}

/** Whether the commit has a file in a language with rules, whether it was read or not. */
export function hasCode(snapshot: Snapshot): boolean {
  return codeEntries(snapshot).size > 0;
}

/** A link or a submodule is never code, even if its name looks like it. */
function isSkippedCode(reason: Snapshot['skipped'][number]['reason']): boolean {
  return reason !== 'link' && reason !== 'submodule';
}

/** Why a file is not parsed: it is generated, or a copy of third-party code. */
export function reasonToSkipCode({ path, content }: { path: string; content: Buffer }) {
  if (VENDORED.test(path)) return 'vendored';
  if (content.length > MAX_CODE_BYTES) return 'too_large';
  if (MINIFIED_NAME.test(path) || isMinified(content)) return 'minified';
  return content.includes(0) ? 'binary' : null;
}

function isMinified(content: Buffer): boolean {
  if (content.length < MIN_MINIFIED_BYTES) return false;
  let lines = 1;
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, at + 1)) lines += 1;
  return content.length / lines > MAX_MEAN_LINE_BYTES;
}
