import { fileURLToPath } from 'node:url';
import { SecuError } from '../../domain/errors.ts';
import { SCANNER_LIMITS } from '../../subprocess/limits.ts';
import type { Fence, ProcessResult } from '../../subprocess/process.ts';
import { startProcess } from '../../subprocess/process.ts';
import type { AstGrep } from './find.ts';
import type { EngineFile, EngineHead, EngineRule } from './protocol.ts';
import { EngineAnswer } from './protocol.ts';

const PROGRAM = fileURLToPath(new URL('engine.js', import.meta.url));
/** Max output; each file has at most a thousand matches of 2,000 characters. */
const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024;
/** Per file. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** A mebibyte takes a second or two; a file that takes this long was crafted to block the parser. */
export const FILE_TIMEOUT_MS = 20_000;
/** Files of one repository that may crash the engine; after more crashes the scan fails. */
const MAX_RESTARTS = 20;
/** A shell reports an end by signal as this number plus the signal number. */
const SIGNALED = 128;

export interface EngineTask extends Omit<EngineFile, 'bytes'> {
  content: Buffer;
}

/** `too_complex`: the file took too long. `unparsable`: the parser crashed. */
export type EngineResult = EngineAnswer | 'too_complex' | 'unparsable';

export interface EngineOptions {
  astGrep: AstGrep;
  rules: readonly EngineRule[];
  fence: Fence;
  env: Readonly<Record<string, string>>;
  folder: string;
  fileTimeoutMs: number;
  signal: AbortSignal;
}

/**
 * Runs the rules over each file; results are in the order of the files. If a file crashes or blocks the engine, it
 * is skipped and the engine restarts with the next file.
 * @throws SecuError `scanner_crashed` for an unknown exit code or output
 */
export async function runEngine(
  options: EngineOptions,
  tasks: readonly EngineTask[],
): Promise<EngineResult[]> {
  const results: EngineResult[] = [];
  for (let restarts = 0; results.length < tasks.length; restarts += 1) {
    if (restarts > MAX_RESTARTS) throw crashed('too_many_restarts');
    const rest = tasks.slice(results.length);
    const { answers, end } = await runOnce(options, rest);
    results.push(...answers);
    if (end !== 'complete') results.push(end);
  }
  return results;
}

async function runOnce(
  options: EngineOptions,
  tasks: readonly EngineTask[],
): Promise<{ answers: EngineAnswer[]; end: 'complete' | 'too_complex' | 'unparsable' }> {
  const { astGrep, fence, env, folder, fileTimeoutMs, signal } = options;
  const watchdog = createWatchdog(fileTimeoutMs);
  const engine = startProcess({
    command: process.execPath,
    args: [PROGRAM, astGrep.bindingPath],
    fence,
    env,
    folder,
    input: inputOf(options, tasks),
    limits: SCANNER_LIMITS,
    maxStdoutBytes: MAX_OUTPUT_BYTES,
    signal: AbortSignal.any([signal, watchdog.signal]),
  });
  const answers: EngineAnswer[] = [];
  try {
    for await (const line of linesOf(engine.stdout)) {
      watchdog.touch();
      answers.push(answerOf(line));
      if (answers.length > tasks.length) throw crashed('too_many_answers');
    }
    const ended = await engine.ended;
    return { answers, end: endOf({ ended, isComplete: answers.length === tasks.length }) };
  } catch (err) {
    if (watchdog.signal.aborted && !signal.aborted && answers.length < tasks.length)
      return { answers, end: 'too_complex' };
    throw err;
  } finally {
    watchdog.end();
    await engine.stop();
  }
}

function endOf(input: { ended: Omit<ProcessResult, 'stdout'>; isComplete: boolean }) {
  const { exitCode } = input.ended;
  if (exitCode === 0 && input.isComplete) return 'complete';
  if (exitCode !== null && exitCode > SIGNALED && !input.isComplete) return 'unparsable';
  throw crashed('exit_code', { exitCode });
}

/** Fires after this time without a reset. */
function createWatchdog(timeoutMs: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  return { signal: controller.signal, touch: () => timer.refresh(), end: () => clearTimeout(timer) };
}

function* inputOf({ astGrep, rules }: EngineOptions, tasks: readonly EngineTask[]): Generator<Buffer> {
  const needed = new Set<string>(tasks.map(({ parser }) => parser));
  const parsers = Object.fromEntries(Object.entries(astGrep.parsers).filter(([name]) => needed.has(name)));
  yield jsonLine({ parsers, rules } satisfies EngineHead);
  for (const { content, parser, rules: indices } of tasks) {
    yield jsonLine({ parser, rules: indices, bytes: content.length } satisfies EngineFile);
    yield content;
  }
}

function jsonLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      yield Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      parts = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
    }
    bytes += rest.length;
    if (bytes > MAX_LINE_BYTES) throw crashed('line_too_long');
    parts.push(rest);
  }
}

function answerOf(line: string): EngineAnswer {
  try {
    return EngineAnswer.parse(JSON.parse(line));
  } catch (err) {
    throw crashed('report', { cause: String(err) });
  }
}

function crashed(problem: string, details: Record<string, unknown> = {}): SecuError {
  return new SecuError('scanner_crashed', 'ast-grep ended with an unknown result', {
    details: { problem, ...details },
  });
}
