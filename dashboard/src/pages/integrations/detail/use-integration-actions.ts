import { useMutation } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { formatCount } from '../../../format/labels.ts';
import { showErrorToast, showToast } from '../../../parts/toast.ts';
import type { Integration } from '../data.ts';
import { idempotencyHeaders, useCacheIntegration } from '../use-verify.ts';

/** The actions that need no confirmation. */
export function useIntegrationActions({ id, sync: currentSync }: Integration) {
  const cacheIntegration = useCacheIntegration();
  const param = { id };
  const sync = useMutation({
    mutationFn: (acceptRemovals: boolean) =>
      request(api.integrations[':id'].sync.$post({ param, json: { acceptRemovals } }, idempotencyHeaders())),
    onSuccess: (_, acceptRemovals) => {
      const joined = currentSync.state === 'running';
      if (acceptRemovals) showToast('Changes accepted. A sync has started.');
      else showToast(joined ? 'A sync is already running.' : 'Sync started.');
    },
    onError: showErrorToast,
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) => request(api.integrations[':id'].$patch({ param, json: { paused } })),
    onSuccess: cacheIntegration,
    onError: showErrorToast,
  });
  const scan = useMutation({
    mutationFn: () => queueScans({ id, full: false }),
    onSuccess: showQueuedToast,
    onError: showErrorToast,
  });
  return { sync, pause, scan };
}

/** Queues a scan of every repository; `full` covers the history and unchanged repositories too. */
export function queueScans({ id, full }: { id: string; full: boolean }) {
  return request(api.integrations[':id'].scan.$post({ param: { id }, json: { full } }, idempotencyHeaders()));
}

export function showQueuedToast({ queued }: { queued: number }): void {
  if (queued === 0) showToast('No scans queued: all repositories are already in the queue.');
  else showToast(`${formatCount(queued, 'scan')} queued.`);
}
