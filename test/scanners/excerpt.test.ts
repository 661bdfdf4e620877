import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { Hit } from '../../src/scanners/excerpt.ts';
import { excerptOf, linesOf } from '../../src/scanners/excerpt.ts';
import { cpuMs } from '../support/cpu.ts';
import type { ScanWorld } from './support.ts';
import { createScanWorld } from './support.ts';

let world: ScanWorld;
beforeAll(async () => {
  world = await createScanWorld();
});
afterAll(() => world.close());

/** Secrets are upper case and their surroundings are not, so that every character shows its origin. */
const UPPER = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
const secretText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...UPPER), minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(...UPPER), minLength: 1, maxLength: 300 }),
);
const surrounding = fc.string({
  unit: fc.constantFrom(
    ...Array.from('abcxyz019 =:;"\'/,\t(){}'),
    'é',
    '日',
    '😀',
    '\u202e',
    '\u001b',
    '\u0000',
    '\r',
    '\u2028',
  ),
  maxLength: 120,
});
const filler = fc.oneof(
  surrounding,
  fc.integer({ min: 0, max: 3_000 }).map((length) => 'z '.repeat(length / 2)),
);
const scenes = fc.record({
  parts: fc.array(fc.tuple(filler, secretText), { minLength: 1, maxLength: 6 }),
  tail: filler,
  number: fc.constantFrom(1, 2, 700),
  isKey: fc.boolean(),
  isDecoded: fc.boolean(),
  widths: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 6, maxLength: 6 }),
});

/**
 * The line and its hits, with columns of the whole match as gitleaks reports them: one higher from the second line
 * on.
 */
function sceneOf(scene: typeof scenes extends fc.Arbitrary<infer Scene> ? Scene : never) {
  const { parts, tail, number, isKey, isDecoded, widths } = scene;
  const hits: Hit[] = [];
  let text = '';
  for (const [index, [before, secret]] of parts.entries()) {
    text += `${before} `;
    const at = Buffer.byteLength(text);
    const from = Math.max(0, at - (widths[index] ?? 0));
    text += secret;
    const shift = number === 1 ? 1 : 2;
    hits.push({
      secret,
      startLine: number,
      endLine: number,
      startColumn: from + shift,
      endColumn: Buffer.byteLength(text) + shift - 1,
      isKey,
      isDecoded: isDecoded && index === 0,
    });
    text += ' ';
  }
  return { line: Buffer.from(text + tail), hits };
}

/** At most four characters and a quarter of one secret, from its start; no character of a key. */
function mayBeShown({ run, hits }: { run: string; hits: readonly Hit[] }): boolean {
  const maxShown = ({ secret, isKey }: Hit) => (isKey ? 0 : Math.min(4, secret.length / 4));
  return hits.some((hit) => hit.secret.startsWith(run) && run.length <= maxShown(hit));
}

test('no excerpt contains more than four characters and a quarter of any secret on its line, or anything of a key', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { line, hits } = sceneOf(scene);
      for (const hit of hits) {
        const excerpt = excerptOf({ hit, line, hitsOnLine: hits });
        const shown = [...excerpt.matchAll(/[A-Z]+/g)].map(([run]) => run);
        expect(shown.filter((run) => !mayBeShown({ run, hits }))).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

test('an excerpt is at most 200 characters and has no control or direction character', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { line, hits } = sceneOf(scene);
      for (const hit of hits) {
        const excerpt = excerptOf({ hit, line, hitsOnLine: hits });
        expect(Array.from(excerpt).length).toBeLessThanOrEqual(200);
        expect(excerpt).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
        expect(excerpt).toContain('****');
      }
    }),
    { numRuns: 300 },
  );
});

test('every secret on the line is masked, including one of another rule and one that occurs twice', () => {
  const [first, second] = ['FIRSTSECRETOFALLTHESE', 'SECONDONEFROMOTHERRULE'];
  const text = `a=${first} b=${second} c=${first}`;
  const at = (secret: string): Hit => ({
    secret,
    startLine: 1,
    endLine: 1,
    startColumn: text.indexOf(secret) + 1,
    endColumn: text.indexOf(secret) + secret.length,
    isDecoded: false,
    isKey: false,
  });
  const hits = [at(first), at(second)];
  for (const hit of hits) {
    expect(excerptOf({ hit, line: Buffer.from(text), hitsOnLine: hits })).toBe(
      'a=FIRS************ b=SECO************ c=FIRS************',
    );
  }
});

test('a secret of fewer than 16 characters shows nothing, and neither does a longer word around it', () => {
  const hit = { startLine: 1, endLine: 1, isDecoded: false, isKey: false };
  const short = { ...hit, secret: 'FIFTEENLETTERSX', startColumn: 3, endColumn: 17 };
  expect(excerptOf({ hit: short, line: Buffer.from('p=FIFTEENLETTERSX;'), hitsOnLine: [short] })).toBe(
    'p=************;',
  );
  const inside = { ...hit, secret: 'SIXTEENLETTERSXY', startColumn: 6, endColumn: 21 };
  const line = Buffer.from('p=PREXSIXTEENLETTERSXYPOST;');
  expect(excerptOf({ hit: inside, line, hitsOnLine: [inside] })).toBe('p=************;');
});

test('if the line cannot be read, only the mask is shown', () => {
  const hit = {
    secret: 'X',
    startLine: 9,
    endLine: 9,
    startColumn: 1,
    endColumn: 1,
    isDecoded: false,
    isKey: false,
  };
  expect(excerptOf({ hit, line: linesOf(Buffer.from('one line'))(9), hitsOnLine: [hit] })).toBe(
    '************',
  );
});

test('real findings of gitleaks are masked: every token of a hundred odd lines, alone or many on one line', async () => {
  const secrets = createSecrets('excerpt');
  const kinds = [
    () => secrets.githubToken(),
    () => secrets.stripeKey(),
    () => secrets.slackBotToken(),
    () => secrets.awsKeyId(),
    () => secrets.gcpKey(),
  ];
  const lines = fc.sample(
    fc.array(fc.tuple(surrounding, fc.nat({ max: kinds.length - 1 })), { minLength: 1, maxLength: 4 }),
    { numRuns: 100, seed: 7 },
  );
  const created: string[] = [];
  const text = lines.map((parts) =>
    parts
      .map(([before, kind]) => {
        const token = kinds[kind]?.() ?? '';
        created.push(token);
        return `${before.replaceAll('\r', '')} ${token} `;
      })
      .join(''),
  );
  const report = await world.scan(await world.files({ 'odd.txt': `${text.join('\n')}\n` }));
  expect(report.findings.length).toBeGreaterThan(100);
  for (const { excerpt } of report.findings) {
    expect(Array.from(excerpt).length).toBeLessThanOrEqual(200);
    for (const token of created) expect(excerpt.includes(token.slice(0, 5))).toBe(false);
    for (const token of created) expect(excerpt.includes(token.slice(4, 12))).toBe(false);
  }
});

test('a private key shows nothing, on one line or on many', async () => {
  const secrets = createSecrets('keys of the excerpt');
  const [many, one] = [secrets.rsaPrivateKey(), secrets.rsaPrivateKey()];
  const report = await world.scan(
    await world.files({
      'many.pem': `${many.join('\n')}\n`,
      'one.json': `{ "key": "${one.join('\\n')}" }\n`,
    }),
  );
  expect(
    report.findings.map(({ path, ruleId, startLine, endLine, cwe }) => [
      path,
      ruleId,
      startLine,
      endLine,
      cwe,
    ]),
  ).toEqual([
    ['many.pem', 'private-key', 1, 14, ['CWE-321']],
    ['one.json', 'private-key', 1, 1, ['CWE-321']],
  ]);
  for (const { excerpt } of report.findings) {
    for (const line of [...many, ...one]) expect(excerpt).not.toContain(line.slice(0, 12));
  }
});

test('a secret in another form, such as Base64, is masked in that form', async () => {
  const token = createSecrets('encoded').githubToken();
  const encoded = Buffer.from(`GITHUB=${token}\n`).toString('base64');
  const report = await world.scan(await world.files({ 'encoded.yml': `data: ${encoded} # end\n` }));
  expect(report.findings.map(({ ruleId, startLine }) => [ruleId, startLine])).toEqual([['github-pat', 1]]);
  expect(report.findings[0]?.excerpt).toMatch(/^data: ?\*{12} # end$/);
});

test('a word of megabytes around a secret takes almost no time', async () => {
  const line = Buffer.alloc(8_000_000, 'x');
  const hit: Hit = {
    secret: 'x'.repeat(40),
    startLine: 1,
    endLine: 1,
    startColumn: 4_000_001,
    endColumn: 4_000_040,
    isDecoded: false,
    isKey: false,
  };
  const createExcerpt = () => expect(excerptOf({ hit, line, hitsOnLine: [hit] })).not.toContain('x');
  expect(await cpuMs(createExcerpt)).toBeLessThan(1_000);
});
