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

/** `secu integrations …`: each is one call of the API. */
export function addIntegrationCommands(program: Command): void {
  const group = program
    .command('integrations')
    .description('links to GitLab: a sealed token and what it can read');

  group
    .command('add')
    .description('adds one; the token comes by prompt, standard input or --token-file')
    .option('--name <name>')
    .option('--base-url <url>', 'base URL of the GitLab')
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
      show((await createClient().call('POST', '/integrations', body)).body, options);
    });

  group
    .command('list')
    .option('--status <list>', 'comma list of pending, active, invalid, paused')
    .option('--json')
    .action(async (options: Options & { status?: string }) => {
      show(await createClient().list('/integrations', { status: options.status }, ALL), options);
    });

  one(group, 'show', 'shows one', (id) => ['GET', `/integrations/${id}`]);
  one(group, 'verify', 'verifies its token now', (id) => ['POST', `/integrations/${id}/verify`]);
  one(group, 'pause', 'stops syncs and scans', (id) => ['PATCH', `/integrations/${id}`, { paused: true }]);
  one(group, 'resume', 'goes on', (id) => ['PATCH', `/integrations/${id}`, { paused: false }]);

  group
    .command('sync <id>')
    .description('lists its repositories now')
    .option('--accept-removals', 'takes away what the brake holds back')
    .option('--json')
    .action(async (id: string, options: Options & { acceptRemovals?: boolean }) => {
      const body = { acceptRemovals: options.acceptRemovals ?? false };
      const answer = await createClient().call('POST', `/integrations/${encodeURIComponent(id)}/sync`, body);
      print(answer.body, { json: options.json ?? false, columns: [['SYNC', 'syncId']] });
    });

  group
    .command('scan <id>')
    .description('scans every repository of it')
    .option('--full', 'with history, and unchanged ones too')
    .option('--json')
    .action(async (id: string, options: Options & { full?: boolean }) => {
      const answer = await createClient().call('POST', `/integrations/${encodeURIComponent(id)}/scan`, {
        full: options.full ?? false,
      });
      print(answer.body, { json: options.json ?? false, columns: [['QUEUED', 'queued']] });
    });

  group
    .command('replace-token <id>')
    .description('verifies a new token and puts it in place of the old one')
    .option('--token-file <file>')
    .option('--accept-loss', 'also when it reaches fewer repositories')
    .option('--json')
    .action(async (id: string, options: Options & { tokenFile?: string; acceptLoss?: boolean }) => {
      const token = await readSecret({ file: options.tokenFile, prompt: 'New GitLab token' });
      const body = { token, acceptLoss: options.acceptLoss ?? false };
      show(
        (await createClient().call('PUT', `/integrations/${encodeURIComponent(id)}/token`, body)).body,
        options,
      );
    });

  group
    .command('rotate <id>')
    .description('asks GitLab for a new token in place of this one, which is dead from then on')
    .option('--expires-at <date>', 'YYYY-MM-DD; left out, it lives as long as the one before')
    .option('--force', 'also in the last 48 hours; declares one lost whose answer is waited for')
    .option('--json')
    .action(async (id: string, options: Options & { expiresAt?: string; force?: boolean }) => {
      const { expiresAt, force = false } = options;
      const body = { force, ...(expiresAt === undefined ? {} : { expiresAt }) };
      const path = `/integrations/${encodeURIComponent(id)}/rotate`;
      show((await createClient().call('POST', path, body)).body, options);
    });

  group
    .command('remove <id>')
    .description('wipes the token and removes everything of it')
    .action(async (id: string) => {
      await createClient().call('DELETE', `/integrations/${encodeURIComponent(id)}`);
    });
}

function one(
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
      show((await createClient().call(method, path, body)).body, options);
    });
}

function show(data: unknown, { json = false }: Options): void {
  print(data, { json, columns: COLUMNS });
}
