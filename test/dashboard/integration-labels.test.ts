import { expect, test } from '@jest/globals';
import {
  outageText,
  rotationBlockText,
  rotationText,
  statusLabel,
  syncLabel,
} from '../../dashboard/src/pages/integrations/labels.ts';
import { ROTATION_BLOCKS } from '../../src/domain/rotation.ts';

test('what is invalid says why', () => {
  expect(statusLabel({ status: 'invalid', cause: 'token_expired' }).text).toBe('Invalid: token expired');
  expect(statusLabel({ status: 'paused', cause: 'token_expired' }).text).toBe('Paused');
});

test('a list that is not whole is never shown as one that is', () => {
  const idle = { state: 'idle' as const, cause: null, listed: 3, lastCompletedAt: '2026-01-01T00:00:00Z' };
  expect(syncLabel({ ...idle, complete: true })).toBeNull();
  expect(syncLabel({ ...idle, complete: false })?.text).toBe('Incomplete list: nothing was removed');
  expect(syncLabel({ ...idle, state: 'waiting', cause: 'brake_engaged', complete: false })?.hue).toBe('warn');
});

test('each reason not to rotate that is known before GitLab is asked has words', () => {
  const before = ROTATION_BLOCKS.slice(0, ROTATION_BLOCKS.indexOf('too_late'));
  for (const block of before) expect(rotationBlockText(block)).not.toBe(block);
});

test('an outage is told in the unit that a person would use', () => {
  const lasting = (minutes: number) =>
    outageText('2026-11-28T00:00:00Z', Date.parse('2026-11-28T00:00:00Z') + minutes * 60_000);
  expect(lasting(0)).toBe('GitLab unreachable for less than a minute');
  expect(lasting(59)).toBe('GitLab unreachable for 59 min');
  expect(lasting(125)).toBe('GitLab unreachable for 2 h');
  expect(lasting(60 * 72)).toBe('GitLab unreachable for 3 days');
});

test('rotation that is switched on and cannot happen does not read as if it would', () => {
  const on = { enabled: true, daysBefore: 14 };
  const blocked = { canRotate: false, rotateBlockedBy: 'token_scope_missing' };
  expect(rotationText(blocked, on)).toMatch(/^switched on, but not possible: /);
  expect(rotationText({ canRotate: true, rotateBlockedBy: null }, on)).toBe(
    'by itself, 14 days before the end',
  );
  expect(rotationText(blocked, { ...on, enabled: false })).toMatch(/^not possible: /);
});
