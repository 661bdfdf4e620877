import { Checkbox, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, requestWithStatus } from '../../../api/api.ts';
import { useNow } from '../../../format/time.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { showToast } from '../../../parts/toast.ts';
import { dateInDays, defaultNewExpiry, MAX_LIFETIME_DAYS } from '../rotation.ts';
import { idempotencyHeaders, useCacheIntegration } from '../use-verify.ts';
import type { DialogProps } from './dialog-props.ts';

/** Asks GitLab for a new token in place of this one. What dies and when is said before. */
export function RotateDialog({ integration: { id, name, token }, onClose }: DialogProps) {
  const settle = useCacheIntegration();
  const nowMs = useNow();
  const [expiresAt, setExpiresAt] = useState(() => defaultNewExpiry(token, nowMs));
  const isLate = token?.rotateBlockedBy === 'expires_within_48_hours';
  const [isForced, setForced] = useState(false);
  const rotate = async () => {
    const json = { expiresAt, ...(isLate && { force: true }) };
    const { done, body } = await requestWithStatus(
      api.integrations[':id'].rotate.$post({ param: { id }, json }, idempotencyHeaders()),
    );
    settle(body);
    showToast(
      done
        ? `The token was rotated. The new one expires on ${body.token?.expiresAt ?? expiresAt}.`
        : 'GitLab has not answered yet. The rotation goes on; the activity says how it ended.',
    );
  };
  return (
    <Confirm
      title={`Rotate the token of ${name}?`}
      act="Rotate token"
      keep="Keep token"
      disabled={expiresAt === '' || (isLate && !isForced)}
      onAct={rotate}
      onClose={onClose}
    >
      <Text size="sm">
        GitLab ends the old token at once. Anything else that uses it stops working. New expiry:{' '}
        <b>{expiresAt === '' ? 'choose a day' : expiresAt}</b>, 00:00 UTC.
      </Text>
      <TextInput
        type="date"
        label="New expiry"
        mt="sm"
        value={expiresAt}
        min={dateInDays(nowMs, 1)}
        max={dateInDays(nowMs, MAX_LIFETIME_DAYS)}
        onChange={(event) => setExpiresAt(event.currentTarget.value)}
      />
      {isLate && (
        <Checkbox
          mt="sm"
          size="xs"
          label="Less than 48 hours are left. Rotate all the same."
          checked={isForced}
          onChange={(event) => setForced(event.currentTarget.checked)}
        />
      )}
    </Confirm>
  );
}
