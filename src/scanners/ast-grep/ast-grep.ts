import { createHash } from 'node:crypto';
import type { Limiter } from '../../concurrency/limiter.ts';
import { runWithPausedStopwatch } from '../../concurrency/limiter.ts';
import { SecuError } from '../../domain/errors.ts';
import { SEVERITIES } from '../../domain/finding.ts';
import type { SkipReason } from '../../domain/scan.ts';
import { localGitEnvironment } from '../../subprocess/local-git.ts';
import type { Sandbox } from '../../subprocess/sandbox.ts';
import { FINGERPRINT_VERSION } from '../fingerprint.ts';
import type { Found, FoundInFile } from '../found.ts';
import type { Scanner, ScannerInput, ScannerResult } from '../scanner.ts';
import type { SkippedFile, Snapshot } from '../snapshot.ts';
import { decodeSource } from '../text-encoding.ts';
import type { CodeFile } from './code-files.ts';
import {
  codeEntries,
  codeFilesOf,
  FILE_RULES,
  hasCode,
  isSkippedCodeFile,
  reasonToSkipCode,
} from './code-files.ts';
import type { EngineResult, EngineTask } from './engine.ts';
import { FILE_TIMEOUT_MS, runEngine } from './engine.ts';
import type { AstGrep } from './find.ts';
import type { EngineAnswer, EngineRule } from './protocol.ts';
import type { CodeRule } from './rule.ts';
import { allRules } from './rules/index.ts';

/** Max size of the contents held in memory. */
const BATCH_BYTES = 16 * 1024 * 1024;

export interface AstGrepTool extends AstGrep {
  /** Time limit for one file; default 20 s. */
  fileTimeoutMs?: number | undefined;
}

export interface AstGrepOptions extends AstGrepTool {
  sandbox: Sandbox;
  /** For each run of the engine. */
  limiter: Limiter;
  maxFindings: number;
}

interface Candidate {
  file: CodeFile;
  task: EngineTask;
}

/**
 * Runs our rules for code and for GitLab CI pipelines over the files of the snapshot in their languages. A file
 * without any of the words that a rule needs cannot match that rule, so it is not parsed for it.
 */
export function createAstGrep(options: AstGrepOptions): Scanner {
  const { version } = options;
  const rules = allRules();
  return {
    name: 'ast-grep',
    version,
    rules: rulesHash(options, rules),
    ruleIds: rules.map(({ id }) => id),
    applies: hasCode,
    scopeOf: codeEntries,
    scan: (input) => scan({ options, rules, input }),
  };
}

function rulesHash({ parts }: AstGrep, rules: readonly CodeRule[]): string {
  const all = [parts, rules, FILE_RULES, FINGERPRINT_VERSION];
  return `sha256:${createHash('sha256').update(JSON.stringify(all)).digest('hex')}`;
}

interface Work {
  options: AstGrepOptions;
  rules: readonly CodeRule[];
  input: ScannerInput;
}

async function scan(work: Work): Promise<ScannerResult> {
  const { snapshot } = work.input;
  const files = codeFilesOf(snapshot);
  const found = createCollector(work.options.maxFindings);
  const skipped: SkippedFile[] = snapshot.skipped.filter(isSkippedCodeFile);
  const isListed = new Set(skipped.map(({ entry }) => entry));
  const skip = ({ entry, path }: CodeFile, reason: SkipReason) => {
    if (!isListed.has(entry)) skipped.push({ entry, path, reason });
    isListed.add(entry);
  };
  let batch: Candidate[] = [];
  const runBatch = async () => {
    const results = await resultsOf(work, batch);
    for (const [index, { file }] of batch.entries()) {
      const result = results[index] ?? 'unparsable';
      const reason = reasonOf(result);
      if (reason !== null) skip(file, reason);
      if (typeof result !== 'string') found.add(foundIn({ work, file, answer: result }), result.hasMore);
    }
    batch = [];
  };
  for await (const { file, content } of contentsOf(snapshot, files)) {
    const reason = reasonToSkipCode({ path: file.path, content });
    if (reason !== null) skip(file, reason);
    const rules = reason === null ? rulesFor({ work, file, content }) : [];
    if (rules.length === 0) continue;
    batch.push({ file, task: { parser: file.kind.parser, rules, content } });
    if (batch.reduce((bytes, { task }) => bytes + task.content.length, 0) > BATCH_BYTES) await runBatch();
  }
  await runBatch();
  const entries = files.map(({ entry }) => entry);
  return {
    ...found.result(),
    read: new Set(entries.filter((entry) => !isListed.has(entry))),
    skipped,
    past: { skipped: [], unreadCommits: [] },
  };
}

/** Holds at most `maxFindings` matches, the most severe first. */
function createCollector(maxFindings: number) {
  let files: FoundInFile[] = [];
  let held = 0;
  let hasMore = false;
  const drop = () => {
    const ranks = files.flatMap(({ found }) => found.map(({ severity }) => SEVERITIES.indexOf(severity)));
    const limit = ranks.toSorted((a, b) => a - b)[maxFindings - 1] ?? SEVERITIES.length;
    let remaining = maxFindings - ranks.filter((rank) => rank < limit).length;
    files = files.map((file) => ({
      ...file,
      found: file.found.filter(({ severity }) => {
        const rank = SEVERITIES.indexOf(severity);
        if (rank === limit) remaining -= 1;
        return rank < limit || (rank === limit && remaining >= 0);
      }),
    }));
    held = maxFindings;
    hasMore = true;
  };
  return {
    add(file: FoundInFile, isCut: boolean): void {
      hasMore ||= isCut;
      files.push(file);
      held += file.found.length;
      // rarely, because each call processes all matches
      if (held > maxFindings * 2) drop();
    },
    result(): Pick<ScannerResult, 'files' | 'hasMore'> {
      if (held > maxFindings) drop();
      return { files: files.filter((file) => file.found.length > 0), hasMore };
    },
  };
}

/** Yields each file with its text. */
async function* contentsOf(
  { git }: Snapshot,
  files: readonly CodeFile[],
): AsyncGenerator<{ file: CodeFile; content: Buffer }> {
  let index = 0;
  for await (const content of git.readBlobs(files.map(({ objectId }) => objectId))) {
    const file = files[index];
    index += 1;
    if (file === undefined || content === null) throw missing();
    yield { file, content: file.encoding === null ? content : decodeSource(content, file.encoding).text };
  }
  if (index < files.length) throw missing();
}

/** Indices of the rules that can match this file. */
function rulesFor({ work, file, content }: { work: Work; file: CodeFile; content: Buffer }): number[] {
  const isPresent = (word: string) => content.includes(word);
  return work.rules.flatMap(({ language, needs }, index) =>
    language === file.kind.language && needs.some((words) => [words].flat().every(isPresent)) ? [index] : [],
  );
}

async function resultsOf({ options, rules, input }: Work, batch: readonly Candidate[]) {
  const { sandbox, limiter, fileTimeoutMs = FILE_TIMEOUT_MS } = options;
  const { folder, signal, snapshot, stopwatch } = input;
  const engine = {
    astGrep: options,
    rules: rules.map(engineRule),
    fence: await sandbox.fenceFor({ network: false, writable: [folder] }),
    env: localGitEnvironment({ gitDirectory: snapshot.gitDirectory, folder }),
    folder,
    fileTimeoutMs,
    signal,
  };
  if (batch.length === 0) return [];
  const tasks = batch.map(({ task }) => task);
  return runWithPausedStopwatch({ limiter, signal, stopwatch }, () => runEngine(engine, tasks));
}

function engineRule({ rule, constraints, utils, narrow }: CodeRule): EngineRule {
  return {
    rule,
    ...(constraints === undefined ? {} : { constraints }),
    ...(utils === undefined ? {} : { utils }),
    ...(narrow === undefined ? {} : { narrow }),
  };
}

function reasonOf(result: EngineResult): SkipReason | null {
  if (typeof result === 'string') return result;
  return result.unparsable ? 'unparsable' : null;
}

function foundIn(input: { work: Work; file: CodeFile; answer: EngineAnswer }): FoundInFile {
  const { work, file, answer } = input;
  const { path, objectId: object, encoding } = file;
  const found = answer.found.map((match): Found => {
    const rule = work.rules[match.rule];
    if (rule === undefined) throw unknownRule();
    const { id, title, severity, cwe, language } = rule;
    const secrets = match.secrets.map(({ startByte, endByte, ...secret }) => ({
      ...secret,
      startColumn: startByte + 1,
      endColumn: endByte,
      isDecoded: false,
      isKey: false,
    }));
    return {
      kind: language === 'gitlab-ci' ? 'config' : 'code',
      scanner: 'ast-grep',
      ruleId: id,
      title,
      severity,
      cwe: [...cwe],
      startLine: match.startLine,
      endLine: match.endLine,
      place: { startLine: match.startLine, startColumn: match.startByte + 1 },
      match: match.match,
      introducedIn: null,
      secrets,
    };
  });
  return { path, commit: work.input.snapshot.commit, object, encoding, atHead: true, found };
}

function missing(): SecuError {
  return new SecuError('scanner_crashed', 'an object of the repository is missing', {
    details: { problem: 'object_missing' },
  });
}

function unknownRule(): SecuError {
  return new SecuError('scanner_crashed', 'ast-grep reports a rule that it was not given', {
    details: { problem: 'report' },
  });
}
