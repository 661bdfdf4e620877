import type { Command } from 'commander';
import { SecuError } from '../../domain/errors.ts';
import { isIdOf } from '../../domain/ids.ts';
import type { SecuClient } from './client.ts';
import { createClient } from './client.ts';
import type { Column } from './print.ts';
import { print, textAt } from './print.ts';
import { readNewPassword } from './secret-input.ts';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['USERNAME', 'username'],
  ['ROLE', 'role'],
  ['SOURCE', 'source'],
  ['LAST SIGN-IN', 'lastSignInAt'],
];
const ALL = 100_000;

interface Options {
  json?: boolean;
}

/** `secu users …` and `secu setup-link`. */
export function addUserCommands(program: Command): void {
  const group = program
    .command('users')
    .description('users who sign in with a password or with single sign-on');

  group
    .command('add <username>')
    .description('creates a user; the password is read from a prompt, standard input or --password-file')
    .requiredOption('--role <role>', 'viewer, operator or admin')
    .option('--password-file <file>')
    .option('--json')
    .action(async (username: string, options: Options & { role: string; passwordFile?: string }) => {
      const client = createClient();
      const password = await readNewPassword({ file: options.passwordFile });
      const body = { username, role: options.role, password };
      print((await client.call('POST', '/users', body)).body, {
        json: options.json ?? false,
        columns: COLUMNS,
      });
    });

  group
    .command('list')
    .option('--json')
    .action(async ({ json = false }: Options) => {
      print(await createClient().list('/users', {}, ALL), { json, columns: COLUMNS });
    });

  group
    .command('reset-password <user>')
    .description('sets a new password and ends all sessions of the user (name or ID)')
    .option('--password-file <file>')
    .action(async (user: string, options: { passwordFile?: string }) => {
      const client = createClient();
      const id = await resolveUserId(client, user);
      const password = await readNewPassword({ file: options.passwordFile });
      await client.call('PATCH', `/users/${id}`, { password });
    });

  group
    .command('remove <user>')
    .description('removes a user (name or ID) and ends all sessions')
    .action(async (user: string) => {
      const client = createClient();
      await client.call('DELETE', `/users/${await resolveUserId(client, user)}`);
    });

  program
    .command('setup-link')
    .description('prints a one-time link for the first administrator; earlier links become invalid')
    .option('--json')
    .action(async ({ json = false }: Options) => {
      const { body } = await createClient().call('POST', '/auth/setup-link');
      const columns = [
        ['LINK', 'url'],
        ['UNTIL', 'expiresAt'],
      ] as const;
      print(body, { json, columns });
    });
}

/** @param user a user name or ID @throws SecuError `not_found` */
async function resolveUserId(client: SecuClient, user: string): Promise<string> {
  if (isIdOf('user', user)) return user;
  const users = await client.list('/users', {}, ALL);
  const match = users.find((row) => textAt(row, 'username').toLowerCase() === user.toLowerCase());
  if (match === undefined)
    throw new SecuError('not_found', `there is no user "${user}"; see "secu users list"`);
  return textAt(match, 'id');
}
