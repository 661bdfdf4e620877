import { setImmediate } from 'node:timers/promises';
import type { ScannedFinding } from '../../domain/finding.ts';
import type { Hit } from '../excerpt.ts';
import { excerptOf, linesOf } from '../excerpt.ts';
import { fingerprintOf, normalised } from '../fingerprint.ts';
import type { CommitFacts, GitObjects } from '../git-objects.ts';
import type { WideEncoding } from '../text-encoding.ts';
import { decodeWide } from '../text-encoding.ts';
import type { Leak } from './report.ts';
import { isKeyRule, severityOf, weaknessesOf } from './severity.ts';
import { titleOf } from './titles.ts';

/** Leaks of one file at one commit. */
export interface LeakyFile {
  path: string;
  commit: string;
  /** Names the content to `git cat-file`; `null` where it cannot be named. */
  object: string | null;
  encoding: WideEncoding | null;
  leaks: readonly Leak[];
}

/** Findings made in one go. */
const AT_ONCE = 100;
const WHOLE_FILE = 'The file itself is what was found.';

/** What makes a leak the same one within a repository, but for its ordinal. */
export function identityOf({ leak, path }: { leak: Leak; path: string }): string {
  return JSON.stringify([leak.ruleId, path, normalised(leak.secret)]);
}

/** Findings as they are stored: masked, with their fingerprints. The leaks, which hold the secrets, end here. */
export async function toFindings(input: {
  files: readonly LeakyFile[];
  git: GitObjects;
  facts: ReadonlyMap<string, CommitFacts>;
  hash: (text: string) => string;
}): Promise<ScannedFinding[]> {
  const { files, git, facts, hash } = input;
  const readable = files.filter((file) => file.object !== null);
  const seen = new Map<string, number>();
  const findings: ScannedFinding[] = [];
  for (const file of files.filter(({ object }) => object === null))
    findings.push(...(await findingsOf({ file, content: null, facts, hash, seen })));
  let index = 0;
  for await (const content of git.readBlobs(readable.map(({ object }) => object ?? ''))) {
    const file = readable[index];
    index += 1;
    if (file !== undefined) findings.push(...(await findingsOf({ file, content, facts, hash, seen })));
  }
  return findings.toSorted(inOrder);
}

/** Lets others have their turn now and then: thousands of findings in one line take seconds. */
async function findingsOf(input: {
  file: LeakyFile;
  content: Buffer | null;
  facts: ReadonlyMap<string, CommitFacts>;
  hash: (text: string) => string;
  /** How often each identity was there before; two files may be shown under one path. */
  seen: Map<string, number>;
}): Promise<ScannedFinding[]> {
  const { file, content, facts, hash, seen } = input;
  const { path, commit, encoding } = file;
  const text = content !== null && encoding !== null ? decodeWide(content, encoding) : content;
  const lineOf = linesOf(text ?? Buffer.alloc(0));
  const hits = file.leaks.map(hitOf);
  const inPlace = file.leaks
    .map((leak, index) => ({ leak, hit: hits[index] ?? hitOf(leak) }))
    .toSorted((a, b) => a.leak.startLine - b.leak.startLine || a.leak.startColumn - b.leak.startColumn);
  const findings: ScannedFinding[] = [];
  for (const { leak, hit } of inPlace) {
    if (findings.length % AT_ONCE === AT_ONCE - 1) await setImmediate();
    const identity = identityOf({ leak, path });
    const ordinal = seen.get(identity) ?? 0;
    seen.set(identity, ordinal + 1);
    const line = text === null ? null : lineOf(leak.startLine);
    const { ruleId, startLine, endLine } = leak;
    findings.push({
      kind: 'secret',
      scanner: 'gitleaks',
      ruleId,
      title: titleOf(ruleId),
      severity: severityOf(ruleId),
      cwe: weaknessesOf(ruleId),
      path,
      startLine: Math.max(1, startLine),
      endLine: Math.max(1, startLine, endLine),
      commit,
      author: facts.get(commit)?.author ?? null,
      committedAt: facts.get(commit)?.committedAt ?? null,
      excerpt: startLine === 0 ? WHOLE_FILE : excerptOf({ hit, line, hitsOnLine: hits }),
      fingerprint: fingerprintOf({ kind: 'secret', ruleId, path, match: leak.secret, ordinal, hash }),
    });
  }
  return findings;
}

function hitOf(leak: Leak): Hit {
  const { secret, startLine, endLine, startColumn, endColumn } = leak;
  return {
    secret,
    startLine,
    endLine: Math.max(startLine, endLine),
    startColumn,
    endColumn,
    isDecoded: leak.tags?.some((tag) => tag.startsWith('decoded:')) ?? false,
    isKey: isKeyRule(leak.ruleId),
  };
}

/** The same order for the same findings, whatever order gitleaks found them in. */
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
