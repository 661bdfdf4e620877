import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { isSecuError } from '../../src/domain/errors.ts';
import type { AesGcmProvider } from '../../src/vault/aes-gcm.ts';
import { strictCipher } from '../../src/vault/aes-gcm.ts';
import { forgeAesGcm } from '../../src/vault/forge-aes-gcm.ts';
import { nodeAesGcm } from '../../src/vault/node-aes-gcm.ts';

/** C2SP/wycheproof, testvectors_v1/aes_gcm_test.json, commit dac1dd47, Apache-2.0. */
interface Vector {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: 'valid' | 'invalid';
}

interface Group {
  ivSize: number;
  keySize: number;
  tests: Vector[];
}

const file = new URL('../vectors/wycheproof_aes_gcm_test.json', import.meta.url);
const { testGroups: groups } = JSON.parse(readFileSync(file, 'utf8')) as { testGroups: Group[] };
const vectors = groups.flatMap((group) => group.tests);
const ours = groups
  .filter((group) => group.keySize === 256 && group.ivSize === 96)
  .flatMap((group) => group.tests);

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The result of a provider for a vector: the right text, a refusal, or an exception. */
function verdictOf(provider: AesGcmProvider, vector: Vector): 'valid' | 'invalid' | 'refused' {
  const input = { key: hex(vector.key), nonce: hex(vector.iv), aad: hex(vector.aad) };
  let opened: Buffer | null;
  try {
    opened = provider.open({ ...input, ciphertext: hex(vector.ct), tag: hex(vector.tag) });
  } catch {
    return 'refused';
  }
  if (opened === null) return 'invalid';
  expect(opened.toString('hex')).toBe(vector.msg);
  const sealed = provider.seal({ ...input, plaintext: hex(vector.msg) });
  expect([sealed.ciphertext.toString('hex'), sealed.tag.toString('hex')]).toEqual([vector.ct, vector.tag]);
  return 'valid';
}

function deviations(provider: AesGcmProvider): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const vector of vectors) {
    const verdict = verdictOf(provider, vector);
    if (verdict === vector.result) continue;
    const name = `${vector.result} but ${verdict}`;
    found[name] = [...(found[name] ?? []), vector.tcId];
  }
  return found;
}

/** Opened text or, for a refusal, its code. */
function strictVerdictOf(provider: AesGcmProvider, vector: Vector): string {
  try {
    return strictCipher(provider)
      .open({
        key: hex(vector.key),
        nonce: hex(vector.iv),
        aad: hex(vector.aad),
        ciphertext: hex(vector.ct),
        tag: hex(vector.tag),
      })
      .toString('hex');
  } catch (err) {
    if (isSecuError(err)) return err.code;
    throw err;
  }
}

const providers: Array<[string, AesGcmProvider]> = [
  ['node-forge', forgeAesGcm],
  ['node:crypto', nodeAesGcm],
];

test('all 316 vectors are there', () => {
  expect(vectors).toHaveLength(316);
  expect(ours).toHaveLength(66);
});

test('node-forge deviates in exactly six vectors: it seals and opens with an empty nonce', () => {
  expect(deviations(forgeAesGcm)).toEqual({ 'invalid but valid': [311, 312, 313, 314, 315, 316] });
});

test('node:crypto deviates only by refusing: nonces of 2056 bits (valid), and empty ones by an exception', () => {
  const longNonces = groups.filter((group) => group.ivSize === 2056).flatMap((group) => group.tests);
  expect(deviations(nodeAesGcm)).toEqual({
    'valid but refused': longNonces.map((vector) => vector.tcId),
    'invalid but refused': [311, 312, 313, 314, 315, 316],
  });
});

test.each(providers)('%s with our checks agrees with every vector of our sizes', (_name, provider) => {
  for (const vector of ours) {
    const expected = vector.result === 'valid' ? vector.msg : 'secret_unreadable';
    expect([vector.tcId, strictVerdictOf(provider, vector)]).toEqual([vector.tcId, expected]);
  }
});

test.each(providers)(
  '%s with our checks refuses every other size before any cryptography',
  (_name, provider) => {
    let calls = 0;
    const counting: AesGcmProvider = {
      seal: (input) => provider.seal(input),
      open(input) {
        calls += 1;
        return provider.open(input);
      },
    };
    const others = vectors.filter((vector) => !ours.includes(vector));
    expect(others).toHaveLength(250);
    for (const vector of others) {
      expect([vector.tcId, strictVerdictOf(counting, vector)]).toEqual([vector.tcId, 'secret_unreadable']);
    }
    expect(calls).toBe(0);
  },
);

test.each(providers)('%s with our checks refuses shortened tags', (_name, provider) => {
  const valid = ours.find((vector) => vector.result === 'valid');
  for (const bytes of [0, 1, 4, 8, 12, 15]) {
    const vector = { ...(valid as Vector), tag: (valid as Vector).tag.slice(0, bytes * 2) };
    expect(strictVerdictOf(provider, vector)).toBe('secret_unreadable');
  }
});
