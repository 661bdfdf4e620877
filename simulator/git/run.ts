import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * The environment of every git process of the simulator, without any settings of the machine or the caller.
 * @param home a folder without a `.gitconfig`
 */
export function gitEnvironment(home: string): Record<string, string> {
  return {
    // The parent's PATH may lack git's helper programs, but git finds them without it.
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/**
 * Runs git to its end.
 * @returns its standard output
 * @throws Error with git's stderr unless git exits with code 0
 */
export async function runGit(options: {
  args: string[];
  home: string;
  input?: Iterable<Uint8Array> | undefined;
}): Promise<Buffer> {
  const child = spawn('git', options.args, {
    env: gitEnvironment(options.home),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  await pipeline(Readable.from(options.input ?? []), child.stdin).catch(ignoreEarlyEnd);
  const code = await ended;
  if (code !== 0) {
    throw new Error(`git ${options.args[0]} ended with ${code}: ${Buffer.concat(errors).toString()}`);
  }
  return Buffer.concat(output);
}

// A child that ends early closes its input; its exit code explains the reason.
function ignoreEarlyEnd(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
}
