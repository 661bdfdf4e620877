import { formatRelative, formatUtc, useNow } from '../format/time.ts';

/** As `TimeAgo`, for rows of which there are many: no stop for Tab in each. */
export function RowTime({ at }: { at: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={formatUtc(at)}>
      {formatRelative(at, nowMs)}
    </time>
  );
}
