// Starts every command of package.json. Plain JavaScript without dependencies, for any Node >= 20. It installs what is
// missing and then runs the command with Node 24.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { node24, ROOT, refuseMachine, SetupError, say, setUp } from './setup.js';

const JEST = {
  flags: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  program: 'node_modules/jest/bin/jest.js',
  tools: true,
  development: true,
  dashboard: true,
};

/**
 * @typedef {object} Command
 * @property {string[]} [flags] for Node
 * @property {string} program relative to the project
 * @property {string[]} [args] before those of the caller
 * @property {boolean} tools whether the tools of the manifest must be installed first
 * @property {boolean} [development] whether the development packages must be installed
 * @property {boolean} [dashboard] whether the dashboard must be built
 * @property {boolean} [endsWithLauncher] gets a channel that closes when the launcher exits, see `endWithParent`
 * @property {boolean} [inCallersFolder] file arguments are relative to the folder of the caller
 */

/** @type {Record<string, Command>} */
const COMMANDS = {
  start: { program: 'src/main/cli.ts', args: ['up'], tools: true, dashboard: true, endsWithLauncher: true },
  demo: {
    program: 'src/main/demo.ts',
    tools: true,
    dashboard: true,
    endsWithLauncher: true,
    inCallersFolder: true,
  },
  test: { ...JEST, args: ['--config', 'jest.config.ts'] },
  'test:long': { ...JEST, args: ['--config', 'jest.long.config.ts'] },
  check: { program: 'scripts/check.js', tools: false, development: true },
  simulator: { program: 'simulator/main.ts', tools: false, inCallersFolder: true },
  bench: { program: 'bench/main.ts', tools: true, development: true, inCallersFolder: true },
  screenshots: {
    program: 'test/long/screenshots-program.ts',
    tools: true,
    development: true,
    dashboard: true,
  },
  secu: { program: 'src/main/cli.ts', tools: false, inCallersFolder: true },
};

/**
 * Runs one command to its end.
 * @param {string | undefined} name @param {string[]} args
 * @returns {Promise<number>} its exit code; 128 + the signal number after a signal
 */
export async function launch(name, args) {
  const refusal = refuseMachine();
  if (refusal !== null) return fail(refusal, 1);
  const command = name === undefined ? undefined : COMMANDS[name];
  if (command === undefined)
    return fail(`usage: node scripts/launch.js ${Object.keys(COMMANDS).join('|')} …`, 2);
  const alone = name === 'secu' && args[0] !== 'up';
  const needs = {
    tools: command.tools || (name === 'secu' && !alone),
    development: command.development === true || command.dashboard === true,
    embedded: !alone,
    dashboard: command.dashboard === true || (name === 'secu' && !alone),
  };
  try {
    const steps = await setUp(needs);
    return alone && node24() === process.execPath
      ? await runHere(command, args)
      : await runAsChild(command, args, steps);
  } catch (err) {
    if (!(err instanceof SetupError)) throw err;
    return fail(err.message, 1);
  }
}

/**
 * Runs in this process, whose Node is new enough. A container has one process less, and signals reach the right one.
 * @param {Command} command @param {string[]} args @returns {Promise<number>}
 */
async function runHere({ program }, args) {
  const path = join(ROOT, program);
  process.argv.splice(1, process.argv.length, path, ...args);
  await import(pathToFileURL(path).href);
  return typeof process.exitCode === 'number' ? process.exitCode : 0;
}

/**
 * @param {Command} command @param {string[]} args @param {import('./setup.js').StepTime[]} steps
 * @returns {Promise<number>}
 */
async function runAsChild(command, args, steps) {
  const folder = mkdtempSync(join(tmpdir(), 'secu-launch-'));
  try {
    const times = join(folder, 'times.json');
    writeFileSync(times, JSON.stringify({ steps }));
    return await run(command, args, times);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Command} command @param {string[]} args @param {string} times @returns {Promise<number>} */
function run(command, args, times) {
  const node = node24();
  const { flags = [], program, args: ownArgs = [], endsWithLauncher, inCallersFolder } = command;
  const env = {
    ...process.env,
    PATH: [dirname(node), process.env['PATH']].filter(Boolean).join(delimiter),
    SECU_LAUNCH_TIMES: times,
  };
  const child = spawn(node, [...flags, join(ROOT, program), ...ownArgs, ...args], {
    cwd: inCallersFolder ? process.cwd() : ROOT,
    env,
    stdio: endsWithLauncher ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
  });
  const stopPassing = passSignals(child);
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      stopPassing();
      done(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * In a terminal, Ctrl-C reaches the whole foreground group, including the child. Without a terminal, the signal is passed on here.
 * @param {import('node:child_process').ChildProcess} child
 */
function passSignals(child) {
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = [
    ['SIGINT', () => terminal || child.kill('SIGINT')],
    ['SIGTERM', () => child.kill('SIGTERM')],
    ['SIGHUP', () => child.kill('SIGHUP')],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** @param {string} reason @param {number} exitCode */
function fail(reason, exitCode) {
  say(reason);
  return exitCode;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [name, ...args] = process.argv.slice(2);
  process.exitCode = await launch(name, args);
}
