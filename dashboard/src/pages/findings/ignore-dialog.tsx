import { NativeSelect, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { serverClock } from '../../api/server-clock.ts';
import { formatCount } from '../../format/labels.ts';
import { Confirm } from '../../parts/confirm.tsx';
import type { Reason } from './finding-labels.ts';
import { REASON_TEXTS, REASONS } from './finding-labels.ts';
import type { Verdict } from './use-triage.tsx';

const DAY_MS = 86_400_000;

/** Asks for the reason, and where people want one, for a comment and an end. */
export default function IgnoreDialog({
  many,
  given,
  onIgnore,
  onClose,
}: {
  many: number;
  /** The reason that was chosen on the way here. */
  given: Reason;
  onIgnore: (verdict: Exclude<Verdict, null>) => Promise<void>;
  onClose: () => void;
}) {
  const [reason, setReason] = useState<Reason>(given);
  const [comment, setComment] = useState('');
  const [until, setUntil] = useState('');
  const what = formatCount(many, 'finding');
  const ignore = () =>
    onIgnore({
      reason,
      ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
      ...(until === '' ? {} : { until }),
    });
  return (
    <Confirm title={`Ignore ${what}?`} act={`Ignore ${what}`} danger={false} onAct={ignore} onClose={onClose}>
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
          description="Whoever reads the finding later sees it."
          size="xs"
          maxLength={1_000}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <TextInput
          label="Until"
          description="Opens again by itself on that day, 00:00 UTC. Empty: for good."
          type="date"
          min={new Date(serverClock.now() + DAY_MS).toISOString().slice(0, 10)}
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </Stack>
    </Confirm>
  );
}
