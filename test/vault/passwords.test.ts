import { expect, test } from '@jest/globals';
import { Secret } from '../../src/domain/secret.ts';
import { passwordProblem } from '../../src/domain/user.ts';
import { createPasswords } from '../../src/vault/passwords.ts';
import { cpuMs } from '../support/cpu.ts';

const CHEAP = { logN: 4, r: 8, p: 1 };
const word = (text: string) => new Secret(text);
const LONG = ['correct', 'horse', 'battery'].join(' ');

test('a password matches its own hash and no other; two hashes of one password differ', async () => {
  const passwords = createPasswords({ cost: CHEAP });
  const [one, two] = [
    await passwords.hash({ password: word(LONG), username: 'a' }),
    await passwords.hash({ password: word(LONG), username: 'a' }),
  ];
  expect(one).not.toBe(two);
  for (const hash of [one, two]) {
    expect(await passwords.verify({ password: word(LONG), hash })).toEqual({ fits: true, upgraded: null });
    expect(await passwords.verify({ password: word(`${LONG} `), hash })).toEqual({
      fits: false,
      upgraded: null,
    });
  }
});

test('the hash of an unknown user matches no password', async () => {
  const passwords = createPasswords({ cost: CHEAP });
  for (const text of ['', LONG]) {
    expect(await passwords.verify({ password: word(text), hash: null })).toEqual({
      fits: false,
      upgraded: null,
    });
  }
});

test('the same letters in another Unicode form are the same password', async () => {
  const passwords = createPasswords({ cost: CHEAP });
  const hash = await passwords.hash({ password: word('Zo\u00eb likes tea and cake'), username: 'a' });
  const typed = await passwords.verify({ password: word('Zoe\u0308 likes tea and cake'), hash });
  expect(typed.fits).toBe(true);
});

test('the cost follows OWASP and is stored with the hash, and a cheaper hash is upgraded', async () => {
  const cheap = await createPasswords({ cost: CHEAP }).hash({ password: word(LONG), username: 'a' });
  expect(cheap).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
  const real = createPasswords();
  const { fits, upgraded } = await real.verify({ password: word(LONG), hash: cheap });
  expect([fits, upgraded]).toEqual([true, expect.stringMatching(/^\$scrypt\$ln=15,r=8,p=3\$/)]);
  expect(await real.verify({ password: word(LONG), hash: upgraded })).toEqual({ fits: true, upgraded: null });
  expect(await real.verify({ password: word('wrong'), hash: cheap })).toEqual({
    fits: false,
    upgraded: null,
  });
});

test('sign-in takes the same time for unknown and known users', async () => {
  const passwords = createPasswords();
  const hash = await passwords.hash({ password: word(LONG), username: 'a' });
  const cpuOf = (known: string | null) =>
    cpuMs(() => passwords.verify({ password: word('wrong'), hash: known }));
  const rounds = [];
  for (let round = 0; round < 6; round += 1)
    rounds.push({ nobody: await cpuOf(null), somebody: await cpuOf(hash) });
  // The minimum of several runs, because other work of this process only adds time.
  const nobody = Math.min(...rounds.map((round) => round.nobody));
  const somebody = Math.min(...rounds.map((round) => round.somebody));
  expect(nobody / somebody).toBeGreaterThan(0.5);
  expect(nobody / somebody).toBeLessThan(2);
});

test('too many concurrent sign-ins are refused before they use up the memory', async () => {
  const passwords = createPasswords({ cost: { logN: 12, r: 8, p: 1 } });
  const results = await Promise.allSettled(
    Array.from({ length: 200 }, () => passwords.verify({ password: word(LONG), hash: null })),
  );
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused.length).toBeGreaterThan(100);
  expect(refused.length).toBeLessThan(200);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['too_many_requests']));
});

test.each([
  '',
  'plain',
  '$scrypt$ln=15,r=8,p=3$x$y',
  '$scrypt$ln=40,r=8,p=1$AAAA$AAAA',
  `$argon2id$v=19$${'A'.repeat(43)}`,
])('a stored text that is not one of our hashes is reported: %j', async (hash) => {
  const passwords = createPasswords({ cost: CHEAP });
  await expect(passwords.verify({ password: word(LONG), hash })).rejects.toMatchObject({
    code: 'secret_unreadable',
  });
});

test.each([
  [LONG, 'alice', null],
  ['12 or more!!', 'alice', null],
  ['\u{1f510}\u{1f511}abcdefghij', 'alice', null],
  ['elevenchars', 'alice', 'has fewer than 12 characters'],
  ['x'.repeat(257), 'alice', 'has more than 256 characters'],
  ['abababababababab', 'alice', 'has fewer than 5 different characters'],
  ['alice.cooper', 'alice.cooper', 'is too similar to the user name'],
  ['ALICE.COOPER!', 'alice.cooper', 'is too similar to the user name'],
  ['aliceAlicealice123', 'alice', 'is too similar to the user name'],
  ['alice has a long password', 'alice', null],
])('the problem of the password %j for %s: %s', (password, username, problem) => {
  expect(passwordProblem({ password, username })).toBe(problem);
});
