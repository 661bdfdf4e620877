import { createHash } from 'node:crypto';
import type { Limiter } from '../../concurrency/limiter.ts';
import { runWithPausedStopwatch } from '../../concurrency/limiter.ts';
import { SecuError } from '../../domain/errors.ts';
import type { SkipReason } from '../../domain/scan.ts';
import type { Sandbox } from '../../subprocess/sandbox.ts';
import { FINGERPRINT_VERSION } from '../fingerprint.ts';
import type { Found, FoundInFile } from '../found.ts';
import { scannerEnvironment } from '../git-objects.ts';
import type { Scanner, ScannerInput, ScannerResult } from '../scanner.ts';
import type { SkippedFile, Snapshot } from '../snapshot.ts';
import { countSkips } from '../snapshot.ts';
import { decodeWide } from '../text-encoding.ts';
import type { CodeFile } from './code-files.ts';
import {
  codeFilesOf,
  codeKindOf,
  FILE_RULES,
  hasCode,
  isSkippedCode,
  reasonToPassOver,
} from './code-files.ts';
import type { EngineResult, EngineTask } from './engine.ts';
import { FILE_TIMEOUT_MS, runEngine } from './engine.ts';
import type { AstGrep } from './find.ts';
import type { EngineAnswer, EngineRule } from './protocol.ts';
import type { CodeRule } from './rule.ts';
import { allRules } from './rules/index.ts';

/** Contents held at once. */
const BATCH_BYTES = 16 * 1024 * 1024;

export interface AstGrepOptions extends AstGrep {
  sandbox: Sandbox;
  /** One for each run of the engine. */
  limiter: Limiter;
  /** For one file; by default 20 s. */
  fileTimeoutMs?: number | undefined;
}

interface Candidate {
  file: CodeFile;
  task: EngineTask;
}

/**
 * Our rules for code and for the pipelines of GitLab CI, over the files of the snapshot in the languages that they are
 * for. Files that have none of the words that a rule needs are not parsed: nothing can be in them.
 */
export function createAstGrep(options: AstGrepOptions): Scanner {
  const { version } = options;
  const rules = allRules();
  return {
    name: 'ast-grep',
    version,
    rules: rulesHash(options, rules),
    applies: hasCode,
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
  const found: FoundInFile[] = [];
  const passedOver: SkippedFile[] = [];
  let batch: Candidate[] = [];
  const look = async () => {
    const results = await resultsOf(work, batch);
    for (const [index, { file }] of batch.entries()) {
      const result = results[index] ?? 'unparsable';
      const reason = reasonOf(result);
      if (reason !== null) passedOver.push({ path: file.path, reason });
      if (typeof result !== 'string') found.push(foundIn({ work, file, answer: result }));
    }
    batch = [];
  };
  for await (const { file, content } of contentsOf(snapshot, files)) {
    const reason = reasonToPassOver({ path: file.path, content });
    if (reason !== null) passedOver.push({ path: file.path, reason });
    const rules = reason === null ? rulesFor({ work, file, content }) : [];
    if (rules.length === 0) continue;
    batch.push({ file, task: { parser: file.kind.parser, rules, content } });
    if (batch.reduce((bytes, { task }) => bytes + task.content.length, 0) > BATCH_BYTES) await look();
  }
  await look();
  const before = snapshot.skipped.filter(
    ({ path, reason }) => isSkippedCode(reason) && codeKindOf(path) !== null,
  );
  return {
    files: found.filter((file) => file.found.length > 0),
    filesScanned: files.length - passedOver.length,
    filesSkipped: countSkips([...before, ...passedOver]),
  };
}

/** Each file with its text. */
async function* contentsOf(
  { git }: Snapshot,
  files: readonly CodeFile[],
): AsyncGenerator<{ file: CodeFile; content: Buffer }> {
  let index = 0;
  for await (const content of git.readBlobs(files.map(({ objectId }) => objectId))) {
    const file = files[index];
    index += 1;
    if (file === undefined || content === null) throw missing();
    yield { file, content: file.encoding === null ? content : decodeWide(content, file.encoding) };
  }
  if (index < files.length) throw missing();
}

/** Indices of the rules that can find something in it. */
function rulesFor({ work, file, content }: { work: Work; file: CodeFile; content: Buffer }): number[] {
  const isThere = (word: string) => content.includes(word);
  return work.rules.flatMap(({ language, needs }, index) =>
    language === file.kind.language && needs.some((words) => [words].flat().every(isThere)) ? [index] : [],
  );
}

async function resultsOf({ options, rules, input }: Work, batch: readonly Candidate[]) {
  const { sandbox, limiter, fileTimeoutMs = FILE_TIMEOUT_MS } = options;
  const { folder, signal, snapshot, stopwatch } = input;
  const engine = {
    astGrep: options,
    rules: rules.map(engineRule),
    wrap: (command: string, args: readonly string[]) => sandbox.wrap(command, args),
    env: scannerEnvironment({ gitDirectory: snapshot.gitDirectory, folder }),
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
      secrets,
    };
  });
  return { path, commit: work.input.snapshot.commit, object, encoding, found };
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
