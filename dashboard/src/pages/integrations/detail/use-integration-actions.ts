import { useMutation } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { formatCount } from '../../../format/labels.ts';
import { showErrorToast, showToast } from '../../../parts/toast.ts';
import type { Integration } from '../data.ts';
import { idempotencyHeaders, useCacheIntegration } from '../use-verify.ts';

/** What can be started on an integration without a question first. */
export function useIntegrationActions({ id, sync: now }: Integration) {
  const settle = useCacheIntegration();
  const param = { id };
  const sync = useMutation({
    mutationFn: (acceptRemovals: boolean) =>
      request(api.integrations[':id'].sync.$post({ param, json: { acceptRemovals } }, idempotencyHeaders())),
    onSuccess: (_, acceptRemovals) => {
      const joined = now.state === 'running';
      if (acceptRemovals) showToast('The new list is taken with the sync that starts now.');
      else showToast(joined ? 'Joined the sync that is already running.' : 'Sync started.');
    },
    onError: showErrorToast,
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) => request(api.integrations[':id'].$patch({ param, json: { paused } })),
    onSuccess: settle,
    onError: showErrorToast,
  });
  const scan = useMutation({
    mutationFn: () => queueScans({ id, full: false }),
    onSuccess: showQueuedToast,
    onError: showErrorToast,
  });
  return { sync, pause, scan };
}

/** Queues a scan of every repository; `full` looks through history and at what did not change. */
export function queueScans({ id, full }: { id: string; full: boolean }) {
  return request(api.integrations[':id'].scan.$post({ param: { id }, json: { full } }, idempotencyHeaders()));
}

export function showQueuedToast({ queued }: { queued: number }): void {
  if (queued === 0)
    showToast('Nothing was queued: every repository waits for a scan already, or there is none.');
  else showToast(`${formatCount(queued, 'scan')} queued.`);
}
