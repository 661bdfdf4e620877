import { api, request } from '../../../api/api.ts';
import { showToast } from '../../../parts/toast.ts';
import { useCacheIntegration } from '../use-verify.ts';

type Patch = Parameters<(typeof api.integrations)[':id']['$patch']>[0]['json'];

/** Updates an integration and caches the answer. */
export function useUpdateIntegration(id: string) {
  const cacheIntegration = useCacheIntegration();
  return async (json: Patch) => {
    cacheIntegration(await request(api.integrations[':id'].$patch({ param: { id }, json })));
    showToast('Saved.');
  };
}
