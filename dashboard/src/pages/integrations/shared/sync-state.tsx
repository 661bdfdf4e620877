import { Text } from '@mantine/core';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import type { Integration } from '../data.ts';
import { syncLabel } from '../labels.ts';

/** When the list of repositories was last completed, and what stands in the way of the next; `bare` under a head that says so. */
export function SyncState({ sync, bare = false }: { sync: Integration['sync']; bare?: boolean }) {
  const word = syncLabel(sync);
  return (
    <>
      {sync.lastCompletedAt !== null && (
        <Text span size="sm">
          {!bare && 'Synced '}
          <TimeAgo at={sync.lastCompletedAt} />
        </Text>
      )}
      {word !== null && (
        <Text span size="xs" c={word.hue === 'neutral' ? 'dimmed' : word.hue} display="block">
          {word.text}
        </Text>
      )}
    </>
  );
}
