import { Text } from '@mantine/core';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import type { Integration } from '../data.ts';
import { syncLabel } from '../labels.ts';

/** Time of the last completed sync and a problem, if any; `bare` omits the word "Synced" below a column title. */
export function SyncState({ sync, bare = false }: { sync: Integration['sync']; bare?: boolean }) {
  const label = syncLabel(sync);
  return (
    <>
      {sync.lastCompletedAt !== null && (
        <Text span size="sm">
          {!bare && 'Synced '}
          <TimeAgo at={sync.lastCompletedAt} />
        </Text>
      )}
      {label !== null && (
        <Text span size="xs" c={label.hue === 'neutral' ? 'dimmed' : label.hue} display="block">
          {label.text}
        </Text>
      )}
    </>
  );
}
