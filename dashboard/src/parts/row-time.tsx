import { formatRelative, formatUtc, useNow } from '../format/time.ts';

/** Like `TimeAgo`, without a tab stop, for long lists. */
export function RowTime({ at }: { at: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={formatUtc(at)}>
      {formatRelative(at, nowMs)}
    </time>
  );
}
