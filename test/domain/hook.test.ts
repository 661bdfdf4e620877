import { describe, expect, test } from '@jest/globals';
import type { HookHint } from '../../src/domain/hook.ts';
import { hookActionFor, hookState, MAX_HINTS_PER_MINUTE } from '../../src/domain/hook.ts';
import type { Branches } from '../../src/domain/integration.ts';
import type { RepositoryState } from '../../src/domain/repository.ts';

const NOW = new Date('2026-03-02T12:00:00Z');
const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000);

const PUSH: HookHint = { kind: 'commits', gitlabProjectId: 7, ref: 'refs/heads/main', defaultBranch: 'main' };

function repository(
  own: { state?: RepositoryState; branches?: Branches; defaultBranch?: string | null } = {},
) {
  return { state: 'active' as const, defaultBranch: 'main', branches: only('default'), ...own };
}

function only(mode: Branches['mode'], globs: string[] = []): Branches {
  return { mode, globs };
}

const actionFor = (
  hint: Partial<HookHint>,
  known: ReturnType<typeof repository> | null = repository(),
  hintsInMinute = 1,
) => hookActionFor({ hint: { ...PUSH, ...hint }, repository: known, hintsInMinute });

describe('the action for a hint', () => {
  test.each<[string, Partial<HookHint>, RepositoryState | null, string]>([
    ['a push to an active repository', {}, 'active', 'scan'],
    ['a push of a tag', { ref: 'refs/tags/v1' }, 'active', 'scan'],
    ['an update of several refs', { ref: null }, 'active', 'scan'],
    ['a push to an excluded repository', {}, 'excluded', 'nothing'],
    ['the first push to an empty repository', {}, 'empty', 'sync'],
    ['a push to a missing repository', {}, 'missing', 'sync'],
    ['a push to a removed repository', {}, 'removed', 'sync_rarely'],
    ['a push to an unknown project', {}, null, 'sync_rarely'],
    ['a new project', { kind: 'listing' }, null, 'sync'],
    ['a renamed project', { kind: 'listing' }, 'active', 'sync'],
    ['a deleted project that is listed', { kind: 'removal' }, 'active', 'require_full_sync'],
    ['a deleted project that is unknown', { kind: 'removal' }, null, 'nothing'],
    ['an event of no use', { kind: 'nothing' }, 'active', 'nothing'],
  ])('%s', (_what, hint, state, action) => {
    expect(actionFor(hint, state === null ? null : repository({ state }))).toBe(action);
  });

  test.each<[string, Partial<HookHint>, Branches, string]>([
    ['default', { ref: 'refs/heads/main' }, only('default'), 'scan'],
    ['default', { ref: 'refs/heads/feature' }, only('default'), 'nothing'],
    ['default, renamed meanwhile', { ref: 'refs/heads/new', defaultBranch: 'new' }, only('default'), 'scan'],
    ['all', { ref: 'refs/heads/feature' }, only('all'), 'scan'],
    ['protected', { ref: 'refs/heads/feature' }, only('protected'), 'scan'],
    ['globs', { ref: 'refs/heads/release/1' }, only('globs', ['release/*']), 'scan'],
    ['globs', { ref: 'refs/heads/feature' }, only('globs', ['release/*']), 'nothing'],
    ['globs', { ref: 'refs/heads/main' }, only('globs', ['release/*']), 'scan'],
  ])('with the branches %s, a push to %j', (_mode, hint, branches, action) => {
    expect(actionFor(hint, repository({ branches }))).toBe(action);
  });

  test('an unknown default branch counts as watched', () => {
    expect(actionFor({ ref: 'refs/heads/x' }, repository({ defaultBranch: null }))).toBe('scan');
  });

  test('hints over the limit of a minute become one sync', () => {
    expect(actionFor({}, repository(), MAX_HINTS_PER_MINUTE)).toBe('scan');
    expect(actionFor({}, repository(), MAX_HINTS_PER_MINUTE + 1)).toBe('sync');
    expect(actionFor({ kind: 'nothing' }, repository(), MAX_HINTS_PER_MINUTE + 1)).toBe('nothing');
  });
});

describe('the state of hooks', () => {
  test.each<[string, Date | null, boolean, string]>([
    ['none was received', null, false, 'none'],
    ['one was received', hoursAgo(1), false, 'receiving'],
    ['a push overtook its hook', hoursAgo(1), true, 'receiving'],
    ['nothing happens', hoursAgo(100), false, 'receiving'],
    ['they stopped for a day while polling finds commits', hoursAgo(24), true, 'silent'],
  ])('%s', (_what, lastAt, hasMissedCommits, state) => {
    expect(hookState({ lastAt, hasMissedCommits, now: NOW })).toBe(state);
  });
});
