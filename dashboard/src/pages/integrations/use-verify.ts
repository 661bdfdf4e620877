import { useMutation, useMutationState, useQueryClient } from '@tanstack/react-query';
import { api, newIdempotencyKey, requestWithStatus } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { showErrorToast, showToast } from '../../parts/toast.ts';
import type { Integration } from './data.ts';

const MUTATION_KEY = ['verify-integration'];

/** Verifies integrations; rows and pages share which verifications are running. */
export function useVerify() {
  const cacheIntegration = useCacheIntegration();
  const { mutate } = useMutation({
    mutationKey: MUTATION_KEY,
    mutationFn: (id: string) =>
      requestWithStatus(api.integrations[':id'].verify.$post({ param: { id } }, idempotencyHeaders())),
    onSuccess: ({ done, body }) => {
      cacheIntegration(body);
      if (!done) showToast(`GitLab is slow. The verification of ${body.name} continues in the background.`);
    },
    onError: showErrorToast,
  });
  const running = useMutationState({
    filters: { mutationKey: MUTATION_KEY, status: 'pending' },
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

/** Headers of a request that must not run twice. */
export function idempotencyHeaders() {
  return { headers: { 'Idempotency-Key': newIdempotencyKey() } };
}

/** Caches an integration from an answer, and invalidates lists and the overview. */
export function useCacheIntegration() {
  const client = useQueryClient();
  return (integration: Integration) => {
    client.setQueryData(queryKeys.integration(integration.id), integration);
    void client.invalidateQueries({ queryKey: queryKeys.integrations });
    void client.invalidateQueries({ queryKey: queryKeys.overview });
  };
}
