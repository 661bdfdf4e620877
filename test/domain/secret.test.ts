import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { expect, test } from '@jest/globals';
import { Secret } from '../../src/domain/secret.ts';

test('a secret prints as [secret] wherever it is printed, and only reveal() gives it', () => {
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
