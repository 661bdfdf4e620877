import { useMutation } from '@tanstack/react-query';
import { api, ask } from '../../../api/api.ts';
import { count } from '../../../format/labels.ts';
import { say, sayFailed } from '../../../parts/toast.ts';
import type { Integration } from '../data.ts';
import { once, useSettled } from '../use-verify.ts';

/** What can be started on an integration without a question first. */
export function useActs({ id, sync: now }: Integration) {
  const settle = useSettled();
  const param = { id };
  const sync = useMutation({
    mutationFn: (acceptRemovals: boolean) =>
      ask(api.integrations[':id'].sync.$post({ param, json: { acceptRemovals } }, once())),
    onSuccess: (_, acceptRemovals) => {
      const joined = now.state === 'running';
      if (acceptRemovals) say('The new list is taken with the sync that starts now.');
      else say(joined ? 'Joined the sync that is already running.' : 'Sync started.');
    },
    onError: sayFailed,
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) => ask(api.integrations[':id'].$patch({ param, json: { paused } })),
    onSuccess: settle,
    onError: sayFailed,
  });
  const scan = useMutation({
    mutationFn: () => askForScans({ id, full: false }),
    onSuccess: sayQueued,
    onError: sayFailed,
  });
  return { sync, pause, scan };
}

/** Queues a scan of every repository; `full` looks through history and at what did not change. */
export function askForScans({ id, full }: { id: string; full: boolean }) {
  return ask(api.integrations[':id'].scan.$post({ param: { id }, json: { full } }, once()));
}

export function sayQueued({ queued }: { queued: number }): void {
  if (queued === 0) say('Nothing was queued: every repository waits for a scan already, or there is none.');
  else say(`${count(queued, 'scan')} queued.`);
}
