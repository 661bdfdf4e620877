import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { expect, test } from '@jest/globals';
import { Secret } from '../../src/domain/secret.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

test('a secret is revealed only to seal or hash it, for GitLab, for git, to send to a channel, and for the log scrubber', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const revealing = files.flatMap((name) =>
    [...readFileSync(join(SRC, name), 'utf8').matchAll(/\.reveal\(/g)].map(() => name),
  );
  expect(revealing.toSorted()).toEqual([
    'git/credentials.ts',
    'gitlab/client.ts',
    'log/scrubber.ts',
    'notify/notifier.ts',
    'notify/notifier.ts',
    'notify/notifier.ts',
    'process-runner/runner.ts',
    'vault/hook-token.ts',
    'vault/hook-token.ts',
    'vault/passwords.ts',
    'vault/passwords.ts',
    'vault/vault.ts',
  ]);
});

test('a secret prints as [secret] everywhere; only reveal() returns it', () => {
  const canary = ['canary', 'in', 'a', 'mine'].join('-');
  const secret = new Secret(canary);
  const holder = { nested: [{ secret }], map: new Map([['k', secret]]) };
  const shown = [
    String(secret),
    [secret].join(),
    `text ${String(secret)}`,
    JSON.stringify(secret),
    JSON.stringify(holder),
    inspect(secret, { showHidden: true }),
    inspect(holder, { depth: 9, showHidden: true }),
    format('%s %o %O %j %d', secret, secret, secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(Object.assign({}, secret)),
    JSON.stringify(structuredClone(secret)),
    serialize(secret).toString('latin1'),
    new Error('failed', { cause: secret }).stack ?? '',
    inspect(new Error('failed', { cause: secret })),
  ];
  for (const text of shown) expect(text).not.toContain(canary);
  expect(JSON.stringify(holder)).toContain('[secret]');
  expect(secret.reveal()).toBe(canary);
});
