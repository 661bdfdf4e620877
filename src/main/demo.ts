import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { readEnvironment } from '../config/environment.ts';
import { isSecuError } from '../domain/errors.ts';
import { addressFileOf } from './commands/client.ts';
import { createApi } from './demo/api.ts';
import { compareWithRecipes } from './demo/compare.ts';
import { connectIntegration, waitUntilScanned } from './demo/connect.ts';
import { printEvents } from './demo/events.ts';
import { demoPort } from './demo/port.ts';
import { startSimulator } from './demo/simulator.ts';
import type { Step } from './demo/summary.ts';
import { launcherSteps, summaryTable } from './demo/summary.ts';
import type { Stack } from './stack.ts';
import { withStack } from './with-stack.ts';

const HELP = `Runs Secu with a simulated GitLab and real git repositories.

  --once        exit when everything is scanned: 0 if all expectations of the recipes are met
  --json FILE   also write the result and the time of each step
  --help
`;

/** 128 + SIGINT, as in shells. */
const INTERRUPTED = 130;

const printLine = (line: string) => void process.stdout.write(`${line}\n`);

interface Options {
  once: boolean;
  json: string | undefined;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const env = await demoEnvironment(readEnvironment());
  return demo({ env, options: { once: values.once, json: values.json } });
}

/** A separate home folder next to the default one, and port 8080 or a free port. */
async function demoEnvironment(env: Environment): Promise<Environment> {
  const { home } = readConfig(env, { isRoot: process.getuid?.() === 0 });
  const demoHome = env['SECU_HOME'] === undefined ? `${home}-demo` : home;
  const port = env['SECU_PORT'] ?? String(await demoPort(demoHome));
  return { SECU_LOG_LEVEL: 'info', ...env, SECU_HOME: demoHome, SECU_PORT: port };
}

async function demo({ env, options }: { env: Environment; options: Options }): Promise<number> {
  const steps: Step[] = launcherSteps(env['SECU_LAUNCH_TIMES']);
  const recordStep = (name: string, startedMs: number) =>
    steps.push({ name, ms: Math.round(performance.now() - startedMs) });
  const config = readConfig(env, { isRoot: process.getuid?.() === 0 });
  const simulatedMs = performance.now();
  const simulator = await startSimulator({
    folder: join(config.home, 'simulator'),
    portFile: join(config.home, 'simulator.port'),
  });
  recordStep('simulated GitLab', simulatedMs);
  const own = {
    SECU_GITLAB_ORIGINS: simulator.url,
    SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
    SECU_GITLAB_RATE: '100/s',
  };
  try {
    const input = {
      config: readConfig({ ...env, ...own }, { isRoot: process.getuid?.() === 0 }),
      env: { ...env, ...own },
      printLine,
      onStep: (step: Step) => steps.push(step),
    };
    const code = await withStack(input, (stack) => {
      writeFileSync(addressFileOf(config.home), `${stack.url}\n`, { mode: 0o600 });
      printLine(
        `Secu ${stack.url} · simulated GitLab ${simulator.url} · Temporal UI ${stack.temporalUi ?? 'none'}`,
      );
      return runDemoScan({ stack, simulator, options, steps });
    });
    return code ?? INTERRUPTED;
  } finally {
    await simulator.stop();
  }
}

async function runDemoScan(input: {
  stack: Stack;
  simulator: Awaited<ReturnType<typeof startSimulator>>;
  options: Options;
  steps: Step[];
}): Promise<number> {
  const { stack, simulator, options, steps } = input;
  const api = createApi({ url: stack.url, apiKey: stack.apiKey });
  const events = await printEvents({ api, printLine });
  const startedMs = performance.now();
  const recordStep = (name: string) => steps.push({ name, ms: Math.round(performance.now() - startedMs) });
  const integrationId = await connectIntegration({ api, simulator, printLine });
  recordStep('token verified');
  await waitUntilScanned({
    api,
    integrationId,
    onFirstFinding: () => recordStep('first finding'),
    onListed: () => recordStep('repositories listed'),
  });
  recordStep('everything scanned');
  const result = await compareWithRecipes({
    api,
    integrationId,
    expectations: await simulator.expectations(),
  });
  printLine(summaryTable({ result, steps }));
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ ...result, steps }, null, 2)}\n`);
  if (options.once) {
    events.stop();
    return result.ok ? 0 : 1;
  }
  const link = await stack.setupLink();
  if (link !== null)
    printLine(`Create the first administrator (one-time link, valid for 15 minutes): ${link}`);
  printLine(
    'Everything is scanned. Secu keeps watching the simulated GitLab until you press Ctrl-C. The data in SECU_HOME is kept.',
  );
  return new Promise(() => {});
}

try {
  process.exitCode = await main();
} catch (err) {
  if (!isSecuError(err)) throw err;
  process.stderr.write(`secu: ${err.message}\n`);
  process.exitCode = 1;
}
