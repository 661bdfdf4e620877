import { describe, expect, test } from '@jest/globals';
import { escapeForeignText, permalink, repositoryWebUrl } from '../../src/domain/finding.ts';
import { isIdOf } from '../../src/domain/ids.ts';
import { DEFAULT_FILTERS, integrationNameFrom } from '../../src/domain/integration.ts';
import type { ListedRepository } from '../../src/domain/repository.ts';
import { brakeEngages, classifierFor } from '../../src/domain/repository.ts';
import { outcomeOf } from '../../src/domain/scan.ts';

const listed: ListedRepository = {
  gitlabProjectId: 15,
  fullPath: 'acme/shop',
  defaultBranch: 'main',
  visibility: 'private',
  lastActivityAt: null,
  empty: false,
  archived: false,
  fork: false,
  personal: false,
  pendingDeletion: false,
  repositoryDisabled: false,
};

describe('a listed repository', () => {
  const rows: Array<[Partial<ListedRepository>, Partial<typeof DEFAULT_FILTERS>, string | null]> = [
    [{}, {}, null],
    [{ archived: true }, {}, 'archived'],
    [{ archived: true }, { archived: true }, null],
    [{ fork: true }, {}, null],
    [{ fork: true }, { forks: false }, 'fork'],
    [{ personal: true }, { personal: false }, 'personal'],
    [{ pendingDeletion: true }, { archived: true }, 'pending_deletion'],
    [{ repositoryDisabled: true }, {}, 'repository_disabled'],
    [{}, { exclude: ['acme/*'] }, 'filter'],
    [{}, { include: ['other/*'] }, 'filter'],
  ];
  test.each(rows)('%j under %j is excluded because %j', (traits, filters, reason) => {
    const classify = classifierFor({ ...DEFAULT_FILTERS, ...filters });
    expect(classify({ ...listed, ...traits })).toEqual({
      state: reason === null ? 'active' : 'excluded',
      excludedBecause: reason,
    });
  });

  test('without a commit is empty, not an error', () => {
    expect(classifierFor(DEFAULT_FILTERS)({ ...listed, empty: true }).state).toBe('empty');
  });
});

test.each([
  [100, 10, false],
  [11, 11, true],
  [100, 20, false],
  [100, 21, true],
  [10, 10, true],
  [8, 8, true],
  [8, 4, true],
  [8, 3, false],
  [2, 2, true],
  [1, 1, false],
  [0, 0, false],
])('with %d known and %d missing repositories, the brake engages: %s', (known, vanished, expected) => {
  expect(brakeEngages({ known, vanished })).toBe(expected);
});

describe('a scan', () => {
  const run = (status: 'ok' | 'failed' | 'unavailable' | 'not_applicable' | 'off', findings = 0) => ({
    status,
    findings,
    cause: status === 'failed' ? ('scan_timed_out' as const) : null,
  });

  test('is clean only if every applicable scanner ended ok', () => {
    expect(outcomeOf([run('ok'), run('not_applicable'), run('off')])).toMatchObject({ outcome: 'clean' });
    expect(outcomeOf([run('ok'), run('unavailable')])).toMatchObject({ outcome: 'incomplete' });
    expect(outcomeOf([])).toMatchObject({ outcome: 'incomplete' });
  });

  test('fails with the cause of the failed scanner, even if others found something', () => {
    expect(outcomeOf([run('ok', 3), run('failed')])).toEqual({ status: 'failed', cause: 'scan_timed_out' });
  });

  test('has the outcome findings even if a scanner is missing', () => {
    expect(outcomeOf([run('ok', 1), run('unavailable')])).toMatchObject({ outcome: 'findings' });
  });
});

test('GitLab URLs are built from encoded segments', () => {
  const baseUrl = 'https://gitlab.example.com/git';
  const place = {
    baseUrl,
    fullPath: 'acme/shop',
    commit: 'abc',
    path: 'a b/#x?.ts',
    startLine: 4,
    endLine: 4,
  };
  expect(permalink(place)).toBe(`${baseUrl}/acme/shop/-/blob/abc/a%20b/%23x%3F.ts#L4`);
  expect(permalink({ ...place, endLine: 6 }).endsWith('#L4-6')).toBe(true);
  expect(repositoryWebUrl({ baseUrl, fullPath: 'acme/"><b>' })).toBe(`${baseUrl}/acme/%22%3E%3Cb%3E`);
});

test('control and direction characters of external text become visible, nothing else changes', () => {
  const hidden = [
    '\u0000',
    '\u001b',
    '\n',
    '\u007f',
    '\u0085',
    '\u061c',
    '\u200b',
    '\u200f',
    '\u202e',
    '\u2066',
    '\ufeff',
  ];
  for (const char of hidden) {
    expect(escapeForeignText(`a${char}b`)).toBe(`a\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}b`);
  }
  expect(escapeForeignText('Grüße, 日本 👋 \\n')).toBe('Grüße, 日本 👋 \\n');
});

test('an integration without a name is named after its URL, with a number if the name is taken', () => {
  expect(integrationNameFrom({ baseUrl: 'https://gitlab.com', taken: new Set() })).toBe('gitlab.com');
  const taken = new Set(['git.example.com/gitlab', 'git.example.com/gitlab 2']);
  expect(integrationNameFrom({ baseUrl: 'https://git.Example.com/gitlab', taken })).toBe(
    'git.example.com/gitlab 3',
  );
});

test('an ID is recognised by its prefix and format', () => {
  expect(isIdOf('integration', 'int_01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(true);
  expect(isIdOf('scan', 'int_01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(false);
  expect(isIdOf('integration', "int_01ARZ3NDEKTSV4RRFFQ69G5FAV'--")).toBe(false);
});
