import { useMutation, useMutationState, useQueryClient } from '@tanstack/react-query';
import { api, newIdempotencyKey, requestWithStatus } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { showErrorToast, showToast } from '../../parts/toast.ts';
import type { Integration } from './data.ts';

const KEY = ['verify-integration'];

/** Verifies now, from whatever row or page; which ones are under way is the same everywhere. */
export function useVerify() {
  const settle = useCacheIntegration();
  const { mutate } = useMutation({
    mutationKey: KEY,
    mutationFn: (id: string) =>
      requestWithStatus(api.integrations[':id'].verify.$post({ param: { id } }, idempotencyHeaders())),
    onSuccess: ({ done, body }) => {
      settle(body);
      if (!done) showToast(`GitLab is slow. The verification of ${body.name} goes on; the page follows.`);
    },
    onError: showErrorToast,
  });
  const running = useMutationState({
    filters: { mutationKey: KEY, status: 'pending' },
    select: ({ state }) => state.variables,
  });
  const isRunning = (id: string) => running.includes(id);
  return {
    isRunning,
    verify: (id: string) => {
      if (!isRunning(id)) mutate(id);
    },
  };
}

/** Headers of a request that must not happen twice. */
export function idempotencyHeaders() {
  return { headers: { 'Idempotency-Key': newIdempotencyKey() } };
}

/** Puts an integration as the server just gave it where it is shown, and makes old what follows from it. */
export function useCacheIntegration() {
  const client = useQueryClient();
  return (integration: Integration) => {
    client.setQueryData(queryKeys.integration(integration.id), integration);
    void client.invalidateQueries({ queryKey: queryKeys.integrations });
    void client.invalidateQueries({ queryKey: queryKeys.overview });
  };
}
