import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  globMatcher,
  MAX_WILDCARDS_PER_GLOB,
  MAX_WILDCARDS_PER_LIST,
  pathFilter,
  wildcardsOf,
} from '../../src/domain/filters.ts';
import { cpuMs } from '../support/cpu.ts';

describe('a glob', () => {
  test.each([
    ['acme/shop', 'acme/shop', true],
    ['acme/shop', 'acme/shop2', false],
    ['acme/shop', 'ACME/Shop', true],
    ['acme/*', 'acme/shop', true],
    ['acme/*', 'acme/platform/gateway', false],
    ['acme/**', 'acme/platform/gateway', true],
    ['acme/**', 'acme', false],
    ['**/shop', 'shop', true],
    ['**/shop', 'a/b/shop', true],
    ['**/shop', 'a/b/workshop', false],
    ['acme/**/x', 'acme/x', true],
    ['acme/**/x', 'acme/b/c/x', true],
    ['acme/**/x', 'acme/bx', false],
    ['**', 'anything/at/all', true],
    ['*', 'a/b', false],
    ['acme/s?op', 'acme/shop', true],
    ['acme?shop', 'acme/shop', false],
    ['acme/*-old', 'acme/shop-old', true],
    ['acme/shop.git', 'acme/shopxgit', false],
    ['acme/(a|b)+[c]', 'acme/(a|b)+[c]', true],
    ['', 'a', false],
  ])('%j on %j: %s', (glob, path, expected) => {
    expect(globMatcher(glob)(path)).toBe(expected);
  });

  test('matches the same paths as its defining regular expression', () => {
    const piece = fc.constantFrom('a', 'b', '/', '*', '**', '**/', '?');
    const path = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 9 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), path, (pieces, chars) => {
        const glob = pieces.join('');
        expect([glob, chars.join(''), globMatcher(glob)(chars.join(''))]).toEqual([
          glob,
          chars.join(''),
          referenceOf(glob).test(chars.join('')),
        ]);
      }),
      { numRuns: 3_000 },
    );
  });

  test('with many stars matches any input in bounded time', async () => {
    const match = () => expect(globMatcher(`${'**a'.repeat(30)}b`)('a'.repeat(200))).toBe(false);
    expect(await cpuMs(match)).toBeLessThan(1_000);
  });
});

test.each([
  ['***', 1],
  ['**/**/**/a', 1],
  ['*/*/*', 3],
  ['a?b', 0],
  ['**/*-old', 2],
])('%j has %d wildcards', (glob, count) => expect(wildcardsOf(glob)).toBe(count));

test('the most expensive lists of globs that are accepted match 5,000 paths in bounded time', async () => {
  const glob = '**/a'.repeat(MAX_WILDCARDS_PER_GLOB);
  const exclude = Array.from({ length: MAX_WILDCARDS_PER_LIST / MAX_WILDCARDS_PER_GLOB }, () => glob);
  const expectation = pathFilter({ include: [], exclude });
  const match = () => {
    for (let n = 0; n < 5_000; n += 1) expect(expectation(`${'a/'.repeat(40)}x${n}`)).toBe(true);
  };
  expect(await cpuMs(match)).toBeLessThan(20_000);
});

describe('a filter', () => {
  test('without include patterns selects everything, otherwise only included paths', () => {
    expect(pathFilter({ include: [], exclude: [] })('a/b')).toBe(true);
    expect(pathFilter({ include: ['a/*', 'c/*'], exclude: [] })('c/d')).toBe(true);
    expect(pathFilter({ include: ['a/*'], exclude: [] })('c/d')).toBe(false);
  });

  test('exclude wins over include', () => {
    const expectation = pathFilter({ include: ['acme/**'], exclude: ['**/*-mirror'] });
    expect(expectation('acme/shop')).toBe(true);
    expect(expectation('acme/shop-mirror')).toBe(false);
  });
});

function referenceOf(glob: string): RegExp {
  const wild: Record<string, string> = { '**': '.*', '**/': '(?:.*/)?', '*': '[^/]*', '?': '[^/]' };
  return new RegExp(
    `^${glob
      .split(/(\*\*\/?|\*|\?)/)
      .map((part) => wild[part] ?? part)
      .join('')}$`,
    'iu',
  );
}
