import { NativeSelect, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { serverClock } from '../../api/server-clock.ts';
import { formatCount } from '../../format/labels.ts';
import { Confirm } from '../../parts/confirm.tsx';
import type { Reason } from './finding-labels.ts';
import { REASON_TEXTS, REASONS } from './finding-labels.ts';
import type { Verdict } from './use-triage.tsx';

const DAY_MS = 86_400_000;

/** Asks for the reason, an optional comment and an optional end date. */
export default function IgnoreDialog({
  count,
  initialReason,
  onIgnore,
  onClose,
}: {
  count: number;
  /** The reason that the user selected before. */
  initialReason: Reason;
  onIgnore: (verdict: Exclude<Verdict, null>) => Promise<void>;
  onClose: () => void;
}) {
  const [reason, setReason] = useState<Reason>(initialReason);
  const [comment, setComment] = useState('');
  const [until, setUntil] = useState('');
  const findings = formatCount(count, 'finding');
  const ignore = () =>
    onIgnore({
      reason,
      ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
      ...(until === '' ? {} : { until }),
    });
  return (
    <Confirm
      title={`Ignore ${findings}?`}
      action={`Ignore ${findings}`}
      isDangerous={false}
      onConfirm={ignore}
      onClose={onClose}
    >
      <Stack gap="sm">
        <NativeSelect
          label="Reason"
          size="xs"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value as typeof reason)}
          data={REASONS.map((value) => ({ value, label: REASON_TEXTS[value] }))}
          data-autofocus
        />
        <Textarea
          label="Comment"
          description="Shown with the finding."
          size="xs"
          maxLength={1_000}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <TextInput
          label="End date"
          description="The finding reopens at 00:00 UTC of this day. Leave empty to ignore it permanently."
          type="date"
          min={new Date(serverClock.now() + DAY_MS).toISOString().slice(0, 10)}
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </Stack>
    </Confirm>
  );
}
