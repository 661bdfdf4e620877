import { Tooltip } from '@mantine/core';
import { formatRelative, formatUtc, useNow } from '../format/time.ts';

/** `4 minutes ago`, with the exact UTC time on hover, focus and touch. */
export function TimeAgo({ at, seconds = false }: { at: string; seconds?: boolean }) {
  const nowMs = useNow({ seconds });
  return (
    <Tooltip label={formatUtc(at)}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the exact time must be reachable by keyboard */}
      <time dateTime={at} tabIndex={0}>
        {formatRelative(at, nowMs)}
      </time>
    </Tooltip>
  );
}
