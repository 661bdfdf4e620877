import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../src/db/new-id.ts';
import type { TokenFacts } from '../../src/domain/integration.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { finding, minutesLater, NOW, seedIntegration, seedRepositories, seedScan } from './seed.ts';

let db: TestDatabase;
let integrationId: string;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

beforeEach(async () => {
  integrationId = await seedIntegration(db.database);
});

const credentials = () => db.database.stores.credentials;

async function addCredential(state: 'current' | 'candidate', version = 1, tokenHash = newId('credential')) {
  const id = newId('credential');
  const sealed = randomBytes(40);
  await credentials().add({
    id,
    integrationId,
    version,
    state,
    sealed,
    keyId: `key-of-${id}`,
    tokenHash,
    now: NOW,
  });
  return { id, sealed, tokenHash };
}

const ciphertexts = () =>
  db.query(
    `select id from credential where integration_id = $1
       and (sealed is not null or key_id is not null or token_hash is not null) order by version`,
    [integrationId],
  );

const facts: TokenFacts = {
  gitlabTokenId: 17,
  name: 'platform',
  scopes: ['read_api'],
  granular: false,
  mayRotate: false,
  expiry: expiryFrom('2027-01-31'),
  createdAt: '2026-01-31T00:00:00Z',
  lastUsedAt: null,
  owner: { username: 'secu-bot', kind: 'service_account' },
};

test('an installed candidate replaces the current token, and wipes its ciphertext, key ID and hash', async () => {
  const old = await addCredential('current');
  const next = await addCredential('candidate', 2);
  expect(await credentials().promote({ id: next.id, integrationId, now: minutesLater(1) })).toBe(true);
  expect(await ciphertexts()).toEqual([{ id: next.id }]);
  expect(await credentials().current(integrationId)).toMatchObject({ id: next.id, version: 2 });
  expect(await credentials().find(old.id)).toMatchObject({ state: 'wiped', sealed: null, keyId: null });
  expect(await credentials().integrationHolding(old.tokenHash)).toBeNull();
});

test('of two overlapping replacements the second changes nothing, so the only copy of the token stays', async () => {
  await addCredential('current');
  const next = await addCredential('candidate', 2);
  const promote = () =>
    db.database.transaction(async (tx) => {
      await tx.integrations.lock(integrationId);
      return tx.credentials.promote({ id: next.id, integrationId, now: NOW });
    });
  const results = await Promise.all([promote(), promote(), promote()]);
  expect(results.filter(Boolean)).toHaveLength(1);
  expect(await ciphertexts()).toEqual([{ id: next.id }]);
  expect(await credentials().current(integrationId)).toMatchObject({ id: next.id, state: 'current' });
});

test('only a candidate can be promoted, and not after it was wiped', async () => {
  const current = await addCredential('current');
  const other = await addCredential('candidate', 2);
  await credentials().wipeCandidate({ id: other.id, now: NOW });
  const promoting = db.database.transaction(async (tx) => {
    if (!(await tx.credentials.promote({ id: other.id, integrationId, now: NOW })))
      throw new Error('not taken');
  });
  await expect(promoting).rejects.toThrow('not taken');
  expect(await credentials().current(integrationId)).toMatchObject({ id: current.id });
});

test('a rejected candidate is wiped, and the current token stays', async () => {
  const current = await addCredential('current');
  const candidate = await addCredential('candidate', 2);
  await credentials().wipeCandidate({ id: candidate.id, now: NOW });
  await credentials().wipeCandidate({ id: current.id, now: NOW });
  expect(await ciphertexts()).toEqual([{ id: current.id }]);
});

test('a removed integration has no ciphertext, and no row after its deletion', async () => {
  await addCredential('current');
  await addCredential('candidate', 2);
  const [repositoryId] = await seedRepositories(db.database, integrationId, [1]);
  await seedScan(db.database, { integrationId, repositoryId: `${repositoryId}`, findings: [finding('a')] });
  await db.database.stores.commands.add({ integrationId, kind: 'verify', now: NOW });
  await db.database.transaction(async (tx) => {
    expect(await tx.integrations.remove({ id: integrationId, now: NOW })).toBe(true);
    await tx.credentials.wipeAll({ integrationId, now: NOW });
  });
  expect(await ciphertexts()).toEqual([]);
  expect(await db.database.stores.integrations.find(integrationId)).toBeNull();
  await db.database.stores.integrations.deleteRemoved(integrationId);
  for (const table of ['credential', 'command', 'repository', 'scan', 'finding']) {
    expect(await db.query(`select 1 from ${table} where integration_id = $1`, [integrationId])).toEqual([]);
  }
});

test('an integration that is not removed cannot be deleted, and is removed once', async () => {
  const { integrations } = db.database.stores;
  await integrations.deleteRemoved(integrationId);
  expect(await integrations.find(integrationId)).not.toBeNull();
  expect(await integrations.remove({ id: integrationId, now: NOW })).toBe(true);
  expect(await integrations.remove({ id: integrationId, now: NOW })).toBe(false);
  expect(await integrations.change(integrationId, { paused: true }, NOW)).toBe(false);
  expect(await integrations.lock(integrationId)).toBeNull();
});

test('the name of a removed integration can be used again', async () => {
  const { integrations } = db.database.stores;
  const first = await seedIntegration(db.database, { name: 'Once' });
  await expect(seedIntegration(db.database, { name: 'ONCE' })).rejects.toMatchObject({ code: '23505' });
  await integrations.remove({ id: first, now: NOW });
  await seedIntegration(db.database, { name: 'once' });
});

test('one token belongs to one integration, also as a candidate', async () => {
  const { tokenHash } = await addCredential('candidate');
  expect(await credentials().integrationHolding(tokenHash)).toBe(integrationId);
  const first = integrationId;
  integrationId = await seedIntegration(db.database);
  await expect(addCredential('current', 1, tokenHash)).rejects.toMatchObject({ code: '23505' });
  expect(await credentials().integrationHolding(tokenHash)).toBe(first);
});

test('facts are written while a token is in use; if GitLab does not report an expiry, the given one stays', async () => {
  const { id } = await addCredential('current');
  const { expiry: _omitted, ...withoutExpiry } = facts;
  await credentials().recordFacts({
    id,
    token: { ...withoutExpiry, expiry: expiryFrom(undefined) },
    now: NOW,
  });
  expect(await credentials().find(id)).toMatchObject({
    expiry: { kind: 'unknown' },
    scopes: ['read_api'],
  });
  await credentials().setExpiry({ id, expiresOn: '2026-12-24' });
  await credentials().recordFacts({
    id,
    token: { ...withoutExpiry, expiry: expiryFrom(undefined) },
    now: NOW,
  });
  expect(await credentials().find(id)).toMatchObject({ expiry: { kind: 'on', date: '2026-12-24' } });
  await credentials().recordFacts({ id, token: { ...facts, expiry: expiryFrom(null) }, now: NOW });
  expect(await credentials().find(id)).toMatchObject({ expiry: { kind: 'never' } });
  await credentials().wipeAll({ integrationId, now: NOW });
  await credentials().recordFacts({ id, token: { ...facts, name: 'late' }, now: NOW });
  expect(await credentials().find(id)).toMatchObject({ tokenName: 'platform' });
});

test('a threshold is flagged once, and the smallest one stays', async () => {
  const { id } = await addCredential('current');
  const flag = (thresholdDays: number) => credentials().flag({ id, thresholdDays, now: NOW });
  const many = await Promise.all([flag(30), flag(30), flag(30), flag(30)]);
  expect(many.filter(Boolean)).toHaveLength(1);
  expect(await flag(7)).toBe(true);
  expect(await flag(60)).toBe(true);
  expect(await credentials().find(id)).toMatchObject({ flag: 7 });
});

test('another date from a user resets the flags; the same date changes nothing', async () => {
  const { id } = await addCredential('current');
  const flag = (thresholdDays: number) => credentials().flag({ id, thresholdDays, now: NOW });
  await credentials().setExpiry({ id, expiresOn: '2026-12-24' });
  expect(await flag(7)).toBe(true);
  await credentials().setExpiry({ id, expiresOn: '2026-12-24' });
  expect(await credentials().find(id)).toMatchObject({ flag: 7 });
  expect(await flag(7)).toBe(false);
  await credentials().setExpiry({ id, expiresOn: '2027-12-24' });
  expect(await credentials().find(id)).toMatchObject({ flag: null, flaggedAt: null });
  expect(await flag(7)).toBe(true);
});

test('a replaced token is not flagged, and its successor starts without flags', async () => {
  const old = await addCredential('current');
  await credentials().flag({ id: old.id, thresholdDays: 7, now: NOW });
  const next = await addCredential('candidate', 2);
  expect(await credentials().flag({ id: next.id, thresholdDays: 7, now: NOW })).toBe(false);
  await credentials().promote({ id: next.id, integrationId, now: NOW });
  expect(await credentials().flag({ id: old.id, thresholdDays: 3, now: NOW })).toBe(false);
  expect(await credentials().find(next.id)).toMatchObject({ flag: null });
  expect(await credentials().flag({ id: next.id, thresholdDays: 7, now: NOW })).toBe(true);
});

test('the credential versions of an integration increase', async () => {
  expect(await credentials().nextVersion(integrationId)).toBe(1);
  await addCredential('current', 1);
  await addCredential('candidate', 4);
  expect(await credentials().nextVersion(integrationId)).toBe(5);
});

test('the keys in use are those of stored ciphertexts and of data keys', async () => {
  const { keys } = db.database.stores;
  const held = await addCredential('current');
  await keys.addDataKey({ purpose: 'token', sealed: randomBytes(8), keyId: 'key-data', now: NOW });
  await keys.addDataKey({ purpose: 'token', sealed: randomBytes(8), keyId: 'key-second', now: NOW });
  expect(await keys.idsInUse()).toEqual(expect.arrayContaining([`key-of-${held.id}`, 'key-data']));
  expect(await keys.idsInUse()).not.toContain('key-second');
  await credentials().wipeAll({ integrationId, now: NOW });
  expect(await keys.idsInUse()).not.toContain(`key-of-${held.id}`);
  expect(await keys.dataKey('token')).toMatchObject({ keyId: 'key-data' });
});

test('an API key works until it expires or is removed, and its use is recorded once per minute', async () => {
  const { apiKeys } = db.database.stores;
  const hash = newId('apiKey');
  const id = await apiKeys.add({
    name: 'CI',
    role: 'operator',
    hash,
    lastFour: 'abcd',
    source: 'api',
    expiresAt: minutesLater(10),
    now: NOW,
  });
  const use = (minutes: number) => apiKeys.findByHash({ hash, now: minutesLater(minutes) });
  expect(await use(0)).toMatchObject({ id, role: 'operator' });
  await use(0.5);
  expect((await apiKeys.find(id))?.lastUsedAt).toEqual(NOW);
  await use(2);
  expect((await apiKeys.find(id))?.lastUsedAt).toEqual(minutesLater(2));
  expect(await use(10)).toBeNull();
  expect(await apiKeys.remove({ id, now: NOW })).toBe(true);
  expect(await apiKeys.remove({ id, now: NOW })).toBe(false);
  expect(await use(1)).toBeNull();
});

test('the managed key follows the settings: another value replaces it, no value removes it, other keys stay', async () => {
  const { apiKeys } = db.database.stores;
  const other = await apiKeys.add({
    name: 'mine',
    role: 'admin',
    hash: newId('apiKey'),
    lastFour: 'mine',
    source: 'api',
    expiresAt: null,
    now: NOW,
  });
  const manage = (hash: string | null) =>
    apiKeys.replaceManaged({
      source: 'environment',
      name: 'bootstrap',
      key: hash === null ? null : { hash, lastFour: hash.slice(-4) },
      now: NOW,
    });
  const works = async (hash: string) => (await apiKeys.findByHash({ hash, now: NOW })) !== null;
  await manage('hash-one');
  await manage('hash-one');
  expect(await works('hash-one')).toBe(true);
  await manage('hash-two');
  expect([await works('hash-one'), await works('hash-two')]).toEqual([false, true]);
  await manage('hash-one');
  expect([await works('hash-one'), await works('hash-two')]).toEqual([true, false]);
  await manage(null);
  expect([await works('hash-one'), await works('hash-two')]).toEqual([false, false]);
  expect(await apiKeys.find(other)).not.toBeNull();
});
