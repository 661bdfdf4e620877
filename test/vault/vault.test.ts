import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSecuError } from '../../src/domain/errors.ts';
import type { SealContext, SealedSecret } from '../../src/domain/sealed-secret.ts';
import { Secret } from '../../src/domain/secret.ts';
import { assertKeysKnown, newKeyLine, parseKeyRing } from '../../src/vault/key-ring.ts';
import type { CipherProvider, Vault } from '../../src/vault/vault.ts';
import { createVault, keyedHash } from '../../src/vault/vault.ts';

const PROVIDERS: CipherProvider[] = ['forge', 'node'];
const context: SealContext = { table: 'credential', rowId: 'crd_1', version: 3 };

function keyLine(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`;
}

function vaultOf(provider: CipherProvider, ...lines: string[]): Vault {
  return createVault({ keyRing: parseKeyRing(lines.join('\n')), provider, onSecret: () => {} });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (err) {
    if (isSecuError(err)) return err.code;
    throw err;
  }
  return 'no error';
}

describe.each(PROVIDERS)('sealed by %s', (provider) => {
  const lineA = keyLine('a');
  const vault = vaultOf(provider, lineA);
  const secret = new Secret('a text that is sealed');
  const sealed = vault.seal({ context, secret });
  const openAs = (changed: Partial<SealedSecret>, where: SealContext = context) =>
    codeOf(() => vault.unseal({ context: where, sealed: { ...sealed, ...changed } }));

  test('opens for the same place and version, and the record does not contain the text', () => {
    expect(vault.unseal({ context, sealed }).reveal()).toBe(secret.reveal());
    expect(sealed.keyId).toBe('a');
    expect(sealed.record.includes(secret.reveal())).toBe(false);
  });

  test.each([
    ['another row', { ...context, rowId: 'crd_2' }],
    ['another table', { ...context, table: 'channel' }],
    ['another version of the same row', { ...context, version: 4 }],
    ['another column', { ...context, column: 'url' }],
    ['a place whose fields only run together the same', { table: 'credentia', rowId: 'lcrd_1', version: 3 }],
  ])('does not open in %s', (_name, where) => {
    expect(openAs({}, where)).toBe('secret_unreadable');
  });

  test('refuses every record with one bit flipped', () => {
    for (let bit = 0; bit < sealed.record.length * 8; bit += 1) {
      const record = Buffer.from(sealed.record);
      record.writeUInt8(record.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect([bit, openAs({ record })]).toEqual([bit, 'secret_unreadable']);
    }
  });

  test('refuses every shorter record and longer ones', () => {
    for (let length = 0; length < sealed.record.length; length += 1) {
      expect(openAs({ record: sealed.record.subarray(0, length) })).toBe('secret_unreadable');
    }
    for (const extra of [1, 16, 511, 512, 1024]) {
      expect(openAs({ record: Buffer.concat([sealed.record, Buffer.alloc(extra)]) })).toBe(
        'secret_unreadable',
      );
    }
  });

  test('does not open with another key of the same id', () => {
    const stranger = vaultOf(provider, keyLine('a'));
    expect(codeOf(() => stranger.unseal({ context, sealed }))).toBe('secret_unreadable');
  });

  test('names the key that the ring does not hold', () => {
    const stranger = vaultOf(provider, keyLine('b'));
    expect(codeOf(() => stranger.unseal({ context, sealed }))).toBe('key_unknown');
  });

  test('does not open under the id of another key of the ring', () => {
    const both = vaultOf(provider, keyLine('b'), lineA);
    expect(codeOf(() => both.unseal({ context, sealed: { ...sealed, keyId: 'b' } }))).toBe(
      'secret_unreadable',
    );
    expect(both.unseal({ context, sealed }).reveal()).toBe(secret.reveal());
  });

  test('opens under a new key after a rewrap, with the sealed secret unchanged', () => {
    const both = vaultOf(provider, keyLine('b'), lineA);
    const rewrapped = both.rewrap({ context, sealed });
    expect(rewrapped.keyId).toBe('b');
    expect(rewrapped.record.subarray(70).equals(sealed.record.subarray(70))).toBe(true);
    expect(both.unseal({ context, sealed: rewrapped }).reveal()).toBe(secret.reveal());
    expect(codeOf(() => vault.unseal({ context, sealed: rewrapped }))).toBe('key_unknown');
  });

  test('is a different record each time', () => {
    expect(vault.seal({ context, secret }).record.equals(sealed.record)).toBe(false);
  });

  test('has the same size for every token of up to 400 characters', () => {
    const sizes = [0, 1, 26, 400].map(
      (length) => vault.seal({ context, secret: new Secret('x'.repeat(length)) }).record.length,
    );
    expect(new Set(sizes).size).toBe(1);
  });

  test('refuses a text that it could not return unchanged: half a character, or more than 16 KiB', () => {
    const seal = (text: string) => codeOf(() => vault.seal({ context, secret: new Secret(text) }));
    expect(seal('\ud800')).toBe('invalid_request');
    expect(seal('x'.repeat(16_385))).toBe('invalid_request');
    expect(seal('x'.repeat(16_384))).toBe('no error');
  });
});

describe('between the two providers', () => {
  const line = keyLine('a');

  test.each([
    ['forge', 'node'],
    ['node', 'forge'],
  ] as const)('any text sealed by %s is opened by %s', (one, other) => {
    const sealing = vaultOf(one, line);
    const opening = vaultOf(other, line);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const sealed = sealing.seal({ context, secret: new Secret(text) });
        expect(opening.unseal({ context, sealed }).reveal()).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});

describe('data keys for keyed hashes', () => {
  const vault = vaultOf('forge', keyLine('a'));
  const dataKey = vault.newDataKey();

  test('are the same key after sealing and opening, and only under their own name', () => {
    const sealed = vault.sealDataKey({ name: 'fingerprints', dataKey });
    const opened = vault.openDataKey({ name: 'fingerprints', sealed });
    expect(keyedHash({ dataKey: opened, purpose: 'p', text: 't' })).toBe(
      keyedHash({ dataKey, purpose: 'p', text: 't' }),
    );
    expect(codeOf(() => vault.openDataKey({ name: 'tokens', sealed }))).toBe('secret_unreadable');
  });

  test('give hashes that differ by key, purpose and text, and never run together', () => {
    const hashes = [
      keyedHash({ dataKey, purpose: 'token', text: 'abc' }),
      keyedHash({ dataKey, purpose: 'toke', text: 'nabc' }),
      keyedHash({ dataKey, purpose: 'token', text: 'abd' }),
      keyedHash({ dataKey: vault.newDataKey(), purpose: 'token', text: 'abc' }),
    ];
    expect(new Set(hashes).size).toBe(4);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keyedHash({ dataKey, purpose: 'token', text: new Secret('abc') })).toBe(hashes[0]);
  });

  test('do not show their bytes', () => {
    const bytes = dataKey.export();
    const shown = inspect(dataKey, { depth: 9, showHidden: true }) + JSON.stringify(dataKey);
    expect(shown).not.toContain(bytes.toString('hex'));
    expect(shown).not.toContain(bytes.toString('base64'));
  });
});

describe('key ring', () => {
  test('seals with the first key and opens with all', () => {
    const ring = parseKeyRing(`# kept since 2026\r\n\n${keyLine('new')}\n  ${keyLine('old')}  \n`);
    expect([ring.sealingKeyId, ring.keyIds]).toEqual(['new', ['new', 'old']]);
    expect(parseKeyRing(newKeyLine()).keyIds).toHaveLength(1);
  });

  test.each([
    ['nothing', ''],
    ['no id', randomBytes(32).toString('base64')],
    ['16 bytes', `a:${randomBytes(16).toString('base64')}`],
    ['33 bytes', `a:${randomBytes(33).toString('base64')}`],
    ['hex', `a:${randomBytes(32).toString('hex')}`],
    ['the same id twice', `${keyLine('a')}\n${keyLine('a')}`],
  ])('refuses %s without repeating the line', (_name, text) => {
    const caught = catchError(() => parseKeyRing(text));
    expect(isSecuError(caught, 'invalid_settings')).toBe(true);
    const encoded = text.split(':').at(-1) ?? '';
    if (encoded !== '') expect(inspect(caught)).not.toContain(encoded);
  });

  test('refuses to start where stored data needs a key that it does not hold, and names it', () => {
    const keyRing = parseKeyRing(keyLine('a'));
    expect(() => assertKeysKnown({ keyRing, keyIdsInUse: ['a', 'a'] })).not.toThrow();
    const caught = catchError(() => assertKeysKnown({ keyRing, keyIdsInUse: ['a', 'lost', 'lost'] }));
    expect(isSecuError(caught, 'key_unknown') && caught.details).toEqual({ keyIds: ['lost'] });
  });

  test('does not show its keys', () => {
    const line = keyLine('a');
    const shown = inspect(parseKeyRing(line), { depth: 9, showHidden: true });
    expect(shown).not.toContain(line.slice(2));
    expect(shown).not.toContain('<Buffer');
  });

  test('detects by the check value that a known id has another key', () => {
    const line = keyLine('a');
    const vault = vaultOf('forge', line);
    const check = vault.createKeyCheck('a');
    expect(codeOf(() => vaultOf('node', line).verifyKeyCheck({ keyId: 'a', check }))).toBe('no error');
    expect(codeOf(() => vaultOf('forge', keyLine('a')).verifyKeyCheck({ keyId: 'a', check }))).toBe(
      'key_unknown',
    );
    expect(codeOf(() => vault.verifyKeyCheck({ keyId: 'a', check: Buffer.alloc(0) }))).toBe('key_unknown');
    expect(codeOf(() => vault.createKeyCheck('b'))).toBe('key_unknown');
  });
});

function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (err) {
    return err;
  }
  return null;
}
