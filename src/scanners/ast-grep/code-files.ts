import type { Snapshot, SnapshotFile } from '../snapshot.ts';

export const CODE_LANGUAGES = ['javascript', 'python', 'go', 'java', 'gitlab-ci'] as const;
/** What rules are written for. */
export type CodeLanguage = (typeof CODE_LANGUAGES)[number];
/** What a file is parsed as: the first three are built into ast-grep. */
export type Parser = 'JavaScript' | 'TypeScript' | 'Tsx' | 'python' | 'go' | 'java' | 'yaml';

export interface CodeKind {
  language: CodeLanguage;
  parser: Parser;
}

/** A file larger than this was not written by hand, and parsing it costs hundreds of times its size in memory. */
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

/** Bears on what is found, so it belongs to the rules. */
export const FILE_RULES = JSON.stringify([
  BY_NAME.map(([pattern, kind]) => [pattern.source, kind]),
  [VENDORED.source, MINIFIED_NAME.source, MAX_CODE_BYTES, MIN_MINIFIED_BYTES, MAX_MEAN_LINE_BYTES],
]);

/** `null` for a file that no rule is for. */
export function codeKindOf(path: string): CodeKind | null {
  return BY_NAME.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

export interface CodeFile extends SnapshotFile {
  kind: CodeKind;
}

/** The files that rules exist for; of a text in UTF-16 the one that was decoded. */
export function codeFilesOf({ files }: Snapshot): CodeFile[] {
  const found = [...files.values()].flatMap((file): CodeFile[] => {
    const kind = codeKindOf(file.path);
    return kind === null ? [] : [{ ...file, kind }];
  });
  const decoded = new Set(found.filter(({ encoding }) => encoding !== null).map(({ path }) => path));
  return found.filter(({ path, encoding }) => encoding !== null || !decoded.has(path));
}

/** Whether it has a file in a language that rules exist for, read or not. */
export function hasCode({ files, skipped }: Snapshot): boolean {
  const isCode = ({ path }: { path: string }) => codeKindOf(path) !== null;
  return (
    [...files.values()].some(isCode) || skipped.some((file) => isSkippedCode(file.reason) && isCode(file))
  );
}

/** What was left out and is no code, whatever its name says. */
export function isSkippedCode(reason: Snapshot['skipped'][number]['reason']): boolean {
  return reason !== 'link' && reason !== 'submodule';
}

/** Why a file is not worth reading: nobody wrote it, or nobody wrote it here. */
export function reasonToPassOver({ path, content }: { path: string; content: Buffer }) {
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
