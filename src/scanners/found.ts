import { setImmediate } from 'node:timers/promises';
import type { FindingKind, ScannedFinding, Severity } from '../domain/finding.ts';
import type { Hit, Place } from './excerpt.ts';
import { excerptOf, linesOf, MASK } from './excerpt.ts';
import { fingerprintOf, normalised } from './fingerprint.ts';
import type { CommitFacts, GitObjects } from './git-objects.ts';
import type { SourceEncoding } from './text-encoding.ts';
import { decodeSource, originalLine } from './text-encoding.ts';

/** One match of a scanner. Contains the secret in clear text until `toFindings` removes it. */
export interface Found {
  kind: FindingKind;
  scanner: string;
  ruleId: string;
  title: string;
  severity: Severity;
  cwe: string[];
  /** From 1; 0 if the file itself is the finding. */
  startLine: number;
  endLine: number;
  /** The text that the excerpt shows. */
  place: Hit | Place;
  /** The part of the identity that stays the same in other commits. */
  match: string;
  /** The first commit that added it, among those that were read; `null` = unknown. */
  introducedIn: string | null;
  /** The positions to mask. */
  secrets: readonly Hit[];
}

/** The matches in one file at one commit. */
export interface FoundInFile {
  path: string;
  commit: string;
  /** The file's name for `git cat-file`; `null` if it has none. */
  object: string | null;
  encoding: SourceEncoding | null;
  /** Whether this is a file of the newest commit of the default branch. */
  atHead: boolean;
  found: readonly Found[];
}

/** Findings to create before the thread is yielded to other work. */
const AT_ONCE = 100;
const WHOLE_FILE = 'The file itself is what was found.';

/**
 * Converts matches of all scanners to findings for storage: masked, with fingerprints. Each line is masked for the
 * matches of all scanners. Without `showsLines`, only lines of `secret` findings are shown.
 */
export async function toFindings(input: {
  files: readonly FoundInFile[];
  git: GitObjects;
  hash: (text: string) => string;
  /** Whether a scanner searched all lines for secrets, so the rest of each line may be shown. */
  showsLines: boolean;
}): Promise<ScannedFinding[]> {
  const { git } = input;
  const files = mergeFiles(input.files);
  const introducing = files.flatMap(({ found }) => found.flatMap(({ introducedIn }) => introducedIn ?? []));
  const facts = await git.commitFacts([...new Set([...files.map(({ commit }) => commit), ...introducing])]);
  const readable = files.filter((file) => file.object !== null);
  const work = { ...input, facts, seen: new Map<string, number>() };
  const findings: ScannedFinding[] = [];
  for (const file of files.filter(({ object }) => object === null))
    findings.push(...(await findingsOf({ ...work, file, content: null })));
  let index = 0;
  for await (const content of git.readBlobs(readable.map(({ object }) => object ?? ''))) {
    const file = readable[index];
    index += 1;
    if (file !== undefined) findings.push(...(await findingsOf({ ...work, file, content })));
  }
  return findings.toSorted(inOrder);
}

/** Merges the matches of several scanners in the same file. */
function mergeFiles(files: readonly FoundInFile[]): FoundInFile[] {
  const same = Map.groupBy(files, ({ path, commit, object, encoding, atHead }) =>
    JSON.stringify([path, commit, object, encoding, atHead]),
  );
  return [...same.values()].flatMap((parts) => {
    const [first] = parts;
    return first === undefined ? [] : [{ ...first, found: parts.flatMap(({ found }) => found) }];
  });
}

/** Yields the thread after every hundred findings: thousands of findings on one line take seconds. */
async function findingsOf(input: {
  file: FoundInFile;
  content: Buffer | null;
  facts: ReadonlyMap<string, CommitFacts>;
  hash: (text: string) => string;
  showsLines: boolean;
  /** Counts earlier occurrences of each identity; two files may be shown under one path. */
  seen: Map<string, number>;
}): Promise<ScannedFinding[]> {
  const { file, content, facts, hash, seen } = input;
  const { path, commit, encoding } = file;
  const text = content !== null && encoding !== null ? decodeSource(content, encoding).text : content;
  const lineOf = linesOf(text ?? Buffer.alloc(0));
  const secrets = file.found.flatMap((found) => found.secrets);
  const inPlace = file.found.toSorted(
    (a, b) => a.startLine - b.startLine || a.place.startColumn - b.place.startColumn,
  );
  const findings: ScannedFinding[] = [];
  const lineInFile = (line: number) =>
    content === null || encoding === null ? line : originalLine({ content, encoding, line });
  for (const found of inPlace) {
    if (findings.length % AT_ONCE === AT_ONCE - 1) await setImmediate();
    const { kind, scanner, ruleId, title, severity, cwe, startLine, endLine, match } = found;
    const identity = JSON.stringify([kind, ruleId, path, normalised(match)]);
    const ordinal = seen.get(identity) ?? 0;
    seen.set(identity, ordinal + 1);
    const line = text === null ? null : lineOf(startLine);
    const isShown = kind === 'secret' || input.showsLines;
    const excerpt = isShown ? excerptOf({ hit: found.place, line, hitsOnLine: secrets }) : MASK;
    findings.push({
      kind,
      scanner,
      ruleId,
      title,
      severity,
      cwe,
      path,
      startLine: lineInFile(Math.max(1, startLine)),
      endLine: lineInFile(Math.max(1, startLine, endLine)),
      commit,
      author: facts.get(commit)?.author ?? null,
      committedAt: facts.get(commit)?.committedAt ?? null,
      atHead: file.atHead,
      introduced: introducedBy(found.introducedIn, facts),
      excerpt: startLine === 0 ? WHOLE_FILE : excerpt,
      fingerprint: fingerprintOf({ kind, ruleId, path, match, ordinal, hash }),
    });
  }
  return findings;
}

function introducedBy(
  commit: string | null,
  facts: ReadonlyMap<string, CommitFacts>,
): ScannedFinding['introduced'] {
  if (commit === null) return null;
  const { author = null, committedAt = null } = facts.get(commit) ?? {};
  return { commit, author, at: committedAt };
}

/** A fixed order, independent of the order in which scanners report. */
function inOrder(a: ScannedFinding, b: ScannedFinding): number {
  const texts = (finding: ScannedFinding) => [finding.path, finding.ruleId, finding.fingerprint] as const;
  const [first, second] = [texts(a), texts(b)];
  return (
    compare(first[0], second[0]) || a.startLine - b.startLine || compare(first.join('\n'), second.join('\n'))
  );
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
