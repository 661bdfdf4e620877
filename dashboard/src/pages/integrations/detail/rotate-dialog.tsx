import { Checkbox, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, requestWithStatus } from '../../../api/api.ts';
import { useNow } from '../../../format/time.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { showToast } from '../../../parts/toast.ts';
import { dateInDays, defaultNewExpiry, MAX_LIFETIME_DAYS } from '../rotation.ts';
import { idempotencyHeaders, useCacheIntegration } from '../use-verify.ts';
import type { DialogProps } from './dialog-props.ts';

/** Lets GitLab replace the token with a new one, after a warning that the old one stops working at once. */
export function RotateDialog({ integration: { id, name, token }, onClose }: DialogProps) {
  const cacheIntegration = useCacheIntegration();
  const nowMs = useNow();
  const [expiresAt, setExpiresAt] = useState(() => defaultNewExpiry(token, nowMs));
  const isLate = token?.rotateBlockedBy === 'expires_within_48_hours';
  const [isForced, setForced] = useState(false);
  const rotate = async () => {
    const json = { expiresAt, ...(isLate && { force: true }) };
    const { done, body } = await requestWithStatus(
      api.integrations[':id'].rotate.$post({ param: { id }, json }, idempotencyHeaders()),
    );
    cacheIntegration(body);
    showToast(
      done
        ? `Token rotated. The new token expires on ${body.token?.expiresAt ?? expiresAt}.`
        : 'GitLab has not answered yet. The rotation continues; see Activity for the result.',
    );
  };
  return (
    <Confirm
      title={`Rotate the token of ${name}?`}
      action="Rotate token"
      disabled={expiresAt === '' || (isLate && !isForced)}
      onConfirm={rotate}
      onClose={onClose}
    >
      <Text size="sm">
        GitLab revokes the old token immediately. Anything else that uses it stops working. The new token
        expires on <b>{expiresAt === '' ? 'the selected day' : expiresAt}</b> at 00:00 UTC.
      </Text>
      <TextInput
        type="date"
        label="New expiry date"
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
          label="The token expires in less than 48 hours. Rotate it anyway."
          checked={isForced}
          onChange={(event) => setForced(event.currentTarget.checked)}
        />
      )}
    </Confirm>
  );
}
