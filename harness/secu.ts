import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../src/embedded/home.ts';
import { awaitUntil } from './await-until.ts';
import type { Client } from './client.ts';
import { createClient } from './client.ts';
import { toolPath } from './tools.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** One `secu up` with its own home, started like a user starts it: real processes that a test may kill. */
export interface Secu extends Client {
  home: string;
  url: string;
  output(): string;
  start(): Promise<void>;
  /** Like Ctrl-C. */
  stop(): Promise<void>;
  /** SIGKILL to a process that the supervisor runs, or to the supervisor itself. */
  kill(
    name: 'supervisor' | 'postgres' | 'temporal' | 'api' | 'orchestration-worker' | 'scan-worker',
  ): Promise<number>;
  signal(name: 'temporal' | 'postgres', signal: NodeJS.Signals): void;
  ready(): Promise<void>;
  /** Ends all running processes and removes the home. */
  remove(): Promise<void>;
}

export async function prepareSecu({ env }: { env: Record<string, string> }): Promise<Secu> {
  const home = await mkdtemp(join(tmpdir(), 'secu-long-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const tools = {
    SECU_TEMPORAL_PATH: await toolPath('temporal'),
    SECU_GITLEAKS_PATH: await toolPath('gitleaks'),
  };
  let child: ChildProcess | null = null;
  let output = '';

  const secu: Secu = {
    ...createClient({ url, apiKey: () => readFileSync(join(home, 'keys', 'cli.key'), 'utf8').trim() }),
    home,
    url,
    output: () => output,
    async start() {
      const started = spawnSecuUp({ home, port, env: { ...tools, ...env } });
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream?.on('data', (text) => (output += String(text)));
      await awaitUntil(
        async () => {
          if (started.exitCode !== null)
            throw new Error(`secu up ended with ${started.exitCode}:\n${output}`);
          return (await readiness(url)) === 'ready';
        },
        { timeoutMs: 120_000, what: `secu up ready (${output})` },
      );
    },
    async stop() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
    async kill(name) {
      const pid = name === 'supervisor' ? child?.pid : pidOf(home, name);
      if (pid === undefined) throw new Error(`${name} does not run`);
      process.kill(pid, 'SIGKILL');
      if (name === 'supervisor' && child !== null && child.signalCode === null) await once(child, 'exit');
      return pid;
    },
    signal(name, signal) {
      process.kill(pidOf(home, name), signal);
    },
    async ready() {
      await awaitUntil(async () => (await readiness(url)) === 'ready', {
        timeoutMs: 120_000,
        what: 'secu ready',
      });
    },
    async remove() {
      await secu.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
  return secu;
}

function spawnSecuUp({ home, port, env }: { home: string; port: number; env: Record<string, string> }) {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main/cli.ts', 'up'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      SECU_HOME: home,
      SECU_PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function readiness(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/readyz`);
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'status' in body ? String(body.status) : null;
  } catch {
    return null; // not listening yet
  }
}

/** The pid that the supervisor recorded for a child. */
function pidOf(home: string, name: string): number {
  const record: unknown = JSON.parse(readFileSync(join(home, 'run', `${name}.json`), 'utf8'));
  if (typeof record !== 'object' || record === null || !('pid' in record))
    throw new Error(`no pid of ${name}`);
  return Number(record.pid);
}

/** Processes that carry this home's mark in their environment or name it in their arguments. */
export function processesOf(home: string): { pid: number; commandLine: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({
      pid: Number(pid),
      commandLine: readProc(pid, 'cmdline'),
      environment: readProc(pid, 'environ'),
    }))
    .filter(({ commandLine, environment }) => `${commandLine}\0${environment}`.includes(home));
}

export function readProc(pid: number | string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}
