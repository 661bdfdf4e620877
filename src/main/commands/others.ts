import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { createClient } from './client.ts';
import { print } from './print.ts';

const FINDING_COLUMNS = [
  ['ID', 'id'],
  ['SEVERITY', 'severity'],
  ['RULE', 'ruleId'],
  ['PATH', 'path'],
  ['LINE', 'startLine'],
  ['STATUS', 'status'],
  ['LINK', 'permalink'],
] as const;

const KEY_COLUMNS = [
  ['ID', 'id'],
  ['NAME', 'name'],
  ['ROLE', 'role'],
  ['ENDS IN', 'lastFour'],
  ['LAST USED', 'lastUsedAt'],
] as const;

const ALL = 100_000;

export function addFindingCommands(program: Command): void {
  program
    .command('findings')
    .description('findings of the scanners')
    .option('--integration <id>')
    .option('--repository <id>')
    .option('--status <list>', 'comma-separated list of open, fixed, removed, ignored', 'open')
    .option('--severity <list>', 'comma-separated list of critical, high, medium, low')
    .option('--q <text>')
    .option('--limit <n>', 'maximum number of findings', parsePositiveInteger, 200)
    .option('--json')
    .action(
      async (
        options: Record<'integration' | 'repository' | 'status' | 'severity' | 'q', string | undefined> & {
          limit: number;
          json?: boolean;
        },
      ) => {
        const { integration: integrationId, repository: repositoryId, status, severity, q } = options;
        const items = await createClient().list(
          '/findings',
          { integrationId, repositoryId, status, severity, q },
          options.limit,
        );
        print(items, { json: options.json ?? false, columns: FINDING_COLUMNS });
      },
    );
}

export function addApiKeyCommands(program: Command): void {
  const group = program.command('api-keys').description('API keys for programs');
  group
    .command('add <name>')
    .description('creates a key and prints it once')
    .requiredOption('--role <role>', 'viewer, operator, admin, calendar or metrics')
    .option('--expires-at <time>', 'ISO 8601')
    .option('--json')
    .action(async (name: string, options: { role: string; expiresAt?: string; json?: boolean }) => {
      const { role, expiresAt } = options;
      const answer = await createClient().call('POST', '/api-keys', {
        name,
        role,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      print(answer.body, {
        json: options.json ?? false,
        columns: [
          ['ID', 'id'],
          ['VALUE', 'value'],
        ],
      });
    });
  group
    .command('list')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      print(await createClient().list('/api-keys', {}, ALL), {
        json: options.json ?? false,
        columns: KEY_COLUMNS,
      });
    });
  group.command('remove <id>').action(async (id: string) => {
    await createClient().call('DELETE', `/api-keys/${encodeURIComponent(id)}`);
  });
}

function parsePositiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1');
  return value;
}
