import type { Command } from 'commander';
import { createClient } from './client.ts';
import type { Column } from './print.ts';
import { print } from './print.ts';
import { readSecret } from './secret-input.ts';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['NAME', 'name'],
  ['STATUS', 'status'],
  ['CAUSE', 'cause'],
  ['EXPIRES', 'token.expiresAt'],
  ['DAYS LEFT', 'token.expiry.daysLeft'],
  ['REPOSITORIES', 'counts.repositories'],
  ['OPEN', 'counts.openFindings'],
];
const ALL = 100_000;

interface Options {
  json?: boolean;
}

/** `secu integrations …`. Each command is one API call. */
export function addIntegrationCommands(program: Command): void {
  const group = program
    .command('integrations')
    .description('connections to GitLab: a sealed token and the repositories that it can read');

  addCreateAndListCommands(group);
  addIdCommand(group, 'show', 'shows an integration', (id) => ['GET', `/integrations/${id}`]);
  addIdCommand(group, 'verify', 'verifies the token now', (id) => ['POST', `/integrations/${id}/verify`]);
  addIdCommand(group, 'pause', 'stops syncs and scans', (id) => [
    'PATCH',
    `/integrations/${id}`,
    { paused: true },
  ]);
  addIdCommand(group, 'resume', 'resumes syncs and scans', (id) => [
    'PATCH',
    `/integrations/${id}`,
    { paused: false },
  ]);
  addSyncAndScanCommands(group);
  addTokenCommands(group);
  addHookTokenCommands(group);

  group
    .command('remove <id>')
    .description('removes the integration with its token and all its data')
    .action(async (id: string) => {
      await createClient().call('DELETE', `/integrations/${encodeURIComponent(id)}`);
    });
}

function addCreateAndListCommands(group: Command): void {
  group
    .command('add')
    .description('adds an integration; the token is read from a prompt, standard input or --token-file')
    .option('--name <name>')
    .option('--base-url <url>', 'base URL of your GitLab')
    .option('--token-file <file>')
    .option('--json')
    .action(async (options: Options & { name?: string; baseUrl?: string; tokenFile?: string }) => {
      const token = await readSecret({ file: options.tokenFile, prompt: 'GitLab token' });
      const { name, baseUrl } = options;
      const body = {
        provider: 'gitlab',
        type: 'git',
        token,
        ...(name === undefined ? {} : { name }),
        ...(baseUrl === undefined ? {} : { baseUrl }),
      };
      printIntegrations((await createClient().call('POST', '/integrations', body)).body, options);
    });

  group
    .command('list')
    .option('--status <list>', 'comma-separated list of pending, active, invalid, paused')
    .option('--json')
    .action(async (options: Options & { status?: string }) => {
      printIntegrations(await createClient().list('/integrations', { status: options.status }, ALL), options);
    });
}

function addSyncAndScanCommands(group: Command): void {
  group
    .command('sync <id>')
    .description('lists the repositories now')
    .option('--accept-removals', 'also removes repositories that the brake held back')
    .option('--json')
    .action(async (id: string, options: Options & { acceptRemovals?: boolean }) => {
      const body = { acceptRemovals: options.acceptRemovals ?? false };
      const answer = await createClient().call('POST', `/integrations/${encodeURIComponent(id)}/sync`, body);
      print(answer.body, { json: options.json ?? false, columns: [['SYNC', 'syncId']] });
    });

  group
    .command('scan <id>')
    .description('scans all repositories of the integration')
    .option('--full', 'scan the full history, also of unchanged repositories')
    .option('--json')
    .action(async (id: string, options: Options & { full?: boolean }) => {
      const answer = await createClient().call('POST', `/integrations/${encodeURIComponent(id)}/scan`, {
        full: options.full ?? false,
      });
      print(answer.body, { json: options.json ?? false, columns: [['QUEUED', 'queued']] });
    });
}

function addTokenCommands(group: Command): void {
  group
    .command('replace-token <id>')
    .description('verifies a new token and replaces the old one')
    .option('--token-file <file>')
    .option('--accept-loss', 'replace even if the new token can read fewer repositories')
    .option('--json')
    .action(async (id: string, options: Options & { tokenFile?: string; acceptLoss?: boolean }) => {
      const token = await readSecret({ file: options.tokenFile, prompt: 'New GitLab token' });
      const body = { token, acceptLoss: options.acceptLoss ?? false };
      printIntegrations(
        (await createClient().call('PUT', `/integrations/${encodeURIComponent(id)}/token`, body)).body,
        options,
      );
    });

  group
    .command('rotate <id>')
    .description('lets GitLab create a new token and revoke the old one at once')
    .option('--expires-at <date>', 'YYYY-MM-DD; default: the same lifetime as the old token')
    .option('--force', 'rotate even in the last 48 hours; if a rotation is in doubt, declare the token lost')
    .option('--json')
    .action(async (id: string, options: Options & { expiresAt?: string; force?: boolean }) => {
      const { expiresAt, force = false } = options;
      const body = { force, ...(expiresAt === undefined ? {} : { expiresAt }) };
      const path = `/integrations/${encodeURIComponent(id)}/rotate`;
      printIntegrations((await createClient().call('POST', path, body)).body, options);
    });
}

function addHookTokenCommands(group: Command): void {
  group
    .command('hook-token <id>')
    .description('creates the token for a webhook in GitLab, shown this once; an earlier one stops working')
    .option('--json')
    .action(async (id: string, options: Options) => {
      const answer = await createClient().call('POST', hookTokenPath(id));
      const columns = [
        ['URL', 'url'],
        ['SECRET TOKEN', 'value'],
      ] as const;
      print(answer.body, { json: options.json ?? false, columns });
    });

  group
    .command('remove-hook-token <id>')
    .description('refuses webhooks for the integration from now on')
    .action(async (id: string) => {
      await createClient().call('DELETE', hookTokenPath(id));
    });
}

function hookTokenPath(id: string): string {
  return `/integrations/${encodeURIComponent(id)}/hook-token`;
}

function addIdCommand(
  group: Command,
  name: string,
  description: string,
  request: (id: string) => [string, string, unknown?],
): void {
  group
    .command(`${name} <id>`)
    .description(description)
    .option('--json')
    .action(async (id: string, options: Options) => {
      const [method, path, body] = request(encodeURIComponent(id));
      printIntegrations((await createClient().call(method, path, body)).body, options);
    });
}

function printIntegrations(data: unknown, { json = false }: Options): void {
  print(data, { json, columns: COLUMNS });
}
