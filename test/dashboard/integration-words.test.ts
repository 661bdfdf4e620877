import { expect, test } from '@jest/globals';
import { rotationBlockText, statusWord, syncWord } from '../../dashboard/src/pages/integrations/words.ts';
import { ROTATION_BLOCKS } from '../../src/domain/rotation.ts';

test('what is invalid says why', () => {
  expect(statusWord({ status: 'invalid', cause: 'token_expired' }).text).toBe('Invalid: token expired');
  expect(statusWord({ status: 'paused', cause: 'token_expired' }).text).toBe('Paused');
});

test('a list that is not whole is never shown as one that is', () => {
  const idle = { state: 'idle' as const, cause: null, listed: 3, lastCompletedAt: '2026-01-01T00:00:00Z' };
  expect(syncWord({ ...idle, complete: true })).toBeNull();
  expect(syncWord({ ...idle, complete: false })?.text).toBe('Incomplete list: nothing was removed');
  expect(syncWord({ ...idle, state: 'waiting', cause: 'brake_engaged', complete: false })?.hue).toBe('warn');
});

test('each reason not to rotate that is known before GitLab is asked has words', () => {
  const before = ROTATION_BLOCKS.slice(0, ROTATION_BLOCKS.indexOf('too_late'));
  for (const block of before) expect(rotationBlockText(block)).not.toBe(block);
});
