import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '../../../harness/client.ts';
import { createClient } from '../../../harness/client.ts';
import { readProc } from '../../../harness/secu.ts';
import { toolPath } from '../../../harness/tools.ts';
import { freePort } from '../../../src/embedded/home.ts';
import { interpolate, readCompose } from '../../support/compose.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A process that the compose file would run as a container. */
export interface Running {
  readonly pid: number;
  readonly output: () => string;
  /** The exit code of its health check; 0 means healthy. */
  health(): Promise<number | null>;
  /** @returns the exit code; null after a signal */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * The services of `docker-compose.yml` as plain processes: their commands, settings, secrets and health checks are read
 * from the file. Without containers, only addresses, ports and volume paths differ.
 */
export interface Production extends Client {
  /** The volume that all workers share; `support/story.ts` expects the name `home`. */
  readonly home: string;
  /** Runs a service that exits. @returns its exit code */
  runOnce(service: string): Promise<number | null>;
  start(service: string): Promise<Running>;
  /** Ends all running processes. */
  close(): Promise<void>;
}

export async function prepareProduction(input: {
  folder: string;
  databaseUrl: string;
  temporalAddress: string;
  /** The values of `.env`. */
  settings: Readonly<Record<string, string>>;
}): Promise<Production> {
  const { folder, databaseUrl, temporalAddress } = input;
  const volume = join(folder, 'volume');
  mkdirSync(volume, { mode: 0o700 });
  const secrets = makeSecrets({ folder, databaseUrl });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = { ...input.settings, SECU_PUBLIC_URL: url, SECU_INSECURE_HTTP: '1' };
  const gitleaks = await toolPath('gitleaks');

  const toLocal = (text: string, healthPort: number) =>
    interpolate(text, settings)
      .replace('/run/secrets', secrets)
      .replace('/var/lib/secu', volume)
      .replace('/opt/secu/', ROOT)
      .replace(/^temporal:7233$/, temporalAddress)
      .replace(/^0\.0\.0\.0$/, '127.0.0.1')
      .replace(/(^|:)8080($|\/)/, `$1${port}$2`)
      .replace(/(^|:)9090($|\/)/, `$1${healthPort}$2`);

  const { launch, close } = createLauncher({ volume, gitleaks, toLocal });

  return {
    ...createClient({ url, apiKey: () => readFileSync(join(secrets, 'secu-api-key'), 'utf8') }),
    home: volume,
    async runOnce(name) {
      const { child } = await launch(name);
      const [code] = await once(child, 'exit');
      return code;
    },
    async start(name) {
      return runningOf(name, await launch(name));
    },
    close,
  };
}

/** Starts services with their commands and settings; `toLocal` adapts a text of the compose file to this machine. */
function createLauncher(input: {
  volume: string;
  gitleaks: string;
  toLocal: (text: string, healthPort: number) => string;
}) {
  const { volume, gitleaks, toLocal } = input;
  const compose = readCompose();
  const running = new Set<ChildProcess>();

  async function launch(name: string) {
    const service = compose.services[name];
    if (service === undefined) throw new Error(`the compose file has no service ${name}`);
    const healthPort = await freePort();
    const environment = Object.entries(service.environment).map(([key, value]) => [
      key,
      toLocal(value, healthPort),
    ]);
    const command = (service.command ?? []).map((part) => toLocal(part, healthPort));
    const child = spawn(process.execPath, [join(ROOT, 'bin/secu.js'), ...command], {
      cwd: volume,
      env: { ...ownEnvironment({ volume, gitleaks }), ...Object.fromEntries(environment) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
    const [, ...check] = (service.healthcheck?.test ?? []).map((part) => toLocal(part, healthPort));
    return { child, check, output: () => output };
  }

  async function close(): Promise<void> {
    for (const child of running) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  }

  return { launch, close };
}

function ownEnvironment({ volume, gitleaks }: { volume: string; gitleaks: string }) {
  return {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    HOME: volume,
    SECU_HOME: volume,
    SECU_GITLEAKS_PATH: gitleaks,
  };
}

function runningOf(
  name: string,
  { child, check, output }: { child: ChildProcess; check: readonly string[]; output: () => string },
): Running {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} does not start`);
  return {
    pid,
    output,
    async health() {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${output()}`);
      const [program = '', ...args] = check;
      const checking = spawn(program === 'node' ? process.execPath : program, args, { stdio: 'ignore' });
      const [code] = await once(checking, 'exit');
      return code;
    },
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Creates the secrets with the deploy script; only the database URL differs from the compose file. */
function makeSecrets({ folder, databaseUrl }: { folder: string; databaseUrl: string }): string {
  const secrets = join(folder, 'secrets');
  const created = spawnSync('sh', [join(ROOT, 'deploy/make-secrets.sh'), secrets], { encoding: 'utf8' });
  if (created.status !== 0) throw new Error(created.stderr);
  const file = join(secrets, 'secu-database-url');
  rmSync(file);
  writeFileSync(file, databaseUrl);
  chmodSync(file, 0o444);
  return secrets;
}

/** PIDs of running processes that have a scan workspace now. */
export function pidsWithWorkspace({ home }: Pick<Production, 'home'>): number[] {
  const parent = join(home, 'work', 'scans');
  return readdirSync(parent).flatMap((name) => {
    const files = readdirSync(join(parent, name));
    if (!files.some((file) => file.startsWith('scn_'))) return [];
    const owner: { pid: number } = JSON.parse(readFileSync(join(parent, name, 'owner.json'), 'utf8'));
    return readProc(owner.pid, 'cmdline') === '' ? [] : [owner.pid];
  });
}
