import { expect, test } from '@jest/globals';
import {
  outageText,
  rotationText,
  statusLabel,
  syncLabel,
} from '../../dashboard/src/pages/integrations/labels.ts';
import { ROTATION_BLOCKS } from '../../src/domain/rotation.ts';
import { rotationBlockText } from '../../src/domain/rotation-block-texts.ts';

test('an invalid integration shows its cause', () => {
  expect(statusLabel({ status: 'invalid', cause: 'token_expired' }).text).toBe('Invalid: token expired');
  expect(statusLabel({ status: 'paused', cause: 'token_expired' }).text).toBe('Paused');
});

test('an incomplete sync never reads as complete', () => {
  const idle = { state: 'idle' as const, cause: null, listed: 3, lastCompletedAt: '2026-01-01T00:00:00Z' };
  expect(syncLabel({ ...idle, complete: true })).toBeNull();
  expect(syncLabel({ ...idle, complete: false })?.text).toBe('Incomplete sync: nothing was removed');
  expect(syncLabel({ ...idle, state: 'waiting', cause: 'brake_engaged', complete: false })?.hue).toBe('warn');
});

test('every rotation block has a text of its own on the server', () => {
  const texts = ROTATION_BLOCKS.map(rotationBlockText);
  expect(new Set(texts).size).toBe(ROTATION_BLOCKS.length);
  for (const text of texts) expect(text).not.toContain('does not work (');
  expect(rotationBlockText('account_blocked')).toBe('the token does not work (account_blocked)');
});

test('an outage is shown in minutes, hours or days', () => {
  const lasting = (minutes: number) =>
    outageText('2026-11-28T00:00:00Z', Date.parse('2026-11-28T00:00:00Z') + minutes * 60_000);
  expect(lasting(0)).toBe('GitLab unreachable for less than a minute');
  expect(lasting(59)).toBe('GitLab unreachable for 59 min');
  expect(lasting(125)).toBe('GitLab unreachable for 2 h');
  expect(lasting(60 * 72)).toBe('GitLab unreachable for 3 days');
});

test('automatic rotation that is not possible shows the reason', () => {
  const on = { enabled: true, daysBefore: 14 };
  const blocked = {
    canRotate: false,
    rotateBlockedBy: 'token_scope_missing' as const,
    rotateBlockedReason: 'the token has neither the scope self_rotate nor api',
  };
  expect(rotationText(blocked, on)).toMatch(/^automatic, but not possible: the token has neither/);
  expect(rotationText({ canRotate: true, rotateBlockedBy: null, rotateBlockedReason: null }, on)).toBe(
    'automatic, 14 days before expiry',
  );
  expect(rotationText(blocked, { ...on, enabled: false })).toMatch(/^not possible: /);
});
