import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Config, ConfigFacts } from '../../config/config.ts';
import { readConfig } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { SecuError } from '../../domain/errors.ts';
import { homeLayout } from '../../embedded/home.ts';
import { findPostgres } from '../../embedded/postgres.ts';
import { listTools, requireTool } from '../../embedded/tools.ts';
import type { QueueName } from '../../temporal/worker.ts';
import type { DoctorPart } from '../doctor/part.ts';
import { print } from './print.ts';

const QUEUES = ['orchestration', 'gitlab', 'scan'] as const satisfies readonly QueueName[];

/** The settings of this process. @throws SecuError `invalid_settings` */
export function configOf(required: ConfigFacts['required'] = []): Config {
  return readConfig(readEnvironment(), { isRoot: process.getuid?.() === 0, required });
}

async function runWorkerCommand(options: {
  queues: (typeof QUEUES)[number][];
  healthPort?: number;
  healthHost: string;
}): Promise<void> {
  const { queues, healthPort, healthHost } = options;
  const { runWorker } = await import('../worker.ts');
  const health = healthPort === undefined ? null : { host: healthHost, port: healthPort };
  await runWorker({ config: configOf(['DATABASE_URL', 'TEMPORAL_ADDRESS']), queues, health });
}

/** Commands that run on this machine, without the API. Each imports its modules when it is called. */
export function addMachineCommands(program: Command): void {
  program
    .command('up')
    .description('runs all of Secu: PostgreSQL, Temporal, API, workers')
    .action(async () => (await import('../up.ts')).up(readEnvironment()));

  program
    .command('api')
    .description('runs only the API')
    .action(async () => (await import('../api.ts')).runApi(configOf(['DATABASE_URL', 'TEMPORAL_ADDRESS'])));

  program
    .command('worker')
    .description('runs workers')
    .requiredOption('--queues <list>', `comma-separated list of ${QUEUES.join(', ')}`, queueList)
    .option('--health-port <port>', 'serve /healthz on this port', Number)
    .option(
      '--health-host <address>',
      'address of that port; a probe from outside needs 0.0.0.0',
      '127.0.0.1',
    )
    .action(runWorkerCommand);

  program
    .command('migrate')
    .description('updates the database schema')
    .option('--json')
    .action(async ({ json = false }: { json?: boolean }) => runMigrations(configOf(), json));

  program
    .command('doctor')
    .description('checks every component that Secu needs')
    .option('--json')
    .action(async ({ json = false }: { json?: boolean }) => runDoctor(configOf(), json));

  const tools = program.command('tools').description('programs that Secu runs');
  tools
    .command('list')
    .option('--json')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { listAllTools } = await import('../bundled-tools.ts');
      print(await listAllTools({ paths: configOf().toolPaths }), { json, columns: TOOL_COLUMNS });
    });
  tools
    .command('install [name]')
    .description('downloads or builds missing tools')
    .action(async (name?: string) => installTools(name));
}

const TOOL_COLUMNS = [
  ['NAME', 'name'],
  ['VERSION', 'tool.version'],
  ['SOURCE', 'tool.source'],
  ['PATH', 'tool.path'],
  ['PROBLEM', 'problem'],
] as const;

async function installTools(name: string | undefined): Promise<void> {
  const paths = configOf().toolPaths;
  const known = await listTools({ paths });
  if (name !== undefined && !known.some((state) => state.name === name)) {
    throw new SecuError(
      'invalid_request',
      `there is no tool "${name}"; known: ${known.map((state) => state.name).join(', ')}`,
    );
  }
  for (const state of known) {
    if (name === undefined ? state.optional : state.name !== name) continue;
    const tool = await requireTool(state.name, {
      paths,
      printLine: (line) => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(`${tool.name} ${tool.version} (${tool.source})\n`);
  }
}

async function runMigrations(config: Config, json: boolean): Promise<void> {
  const url = config.database.url?.value() ?? findPostgres(homeLayout(config.home))?.url;
  if (url === undefined)
    throw new SecuError(
      'invalid_settings',
      'DATABASE_URL is missing, and SECU_HOME contains no embedded PostgreSQL',
    );
  const { migrate } = await import('../../db/migrate.ts');
  const ran = await migrate({ url });
  print({ ran: ran.length === 0 ? 'nothing to do' : ran.join(', ') }, { json, columns: [['RAN', 'ran']] });
}

async function runDoctor(config: Config, json: boolean): Promise<void> {
  const { examineInstallation } = await import('../doctor/index.ts');
  const parts = await examineInstallation(config);
  print(parts, {
    json,
    columns: [
      ['PART', 'part'],
      ['STATUS', 'status'],
      ['VERSION', 'version'],
      ['SOURCE', 'source'],
      ['DETAIL', 'detail'],
    ],
  });
  if (!json) printAdvice(parts);
  if (parts.some((part) => part.status === 'failed')) process.exitCode = 1;
}

/** Printed below the table, because it does not fit into a column. */
function printAdvice(parts: readonly DoctorPart[]): void {
  for (const { part, status, advice } of parts) {
    if (status !== 'ok' && advice !== null) process.stdout.write(`\n${status} ${part}: ${advice}\n`);
  }
}

function queueList(text: string): (typeof QUEUES)[number][] {
  return text.split(',').map((part) => {
    const queue = QUEUES.find((known) => known === part.trim());
    if (queue === undefined) throw new InvalidArgumentError(`"${part}" is not one of ${QUEUES.join(', ')}`);
    return queue;
  });
}
