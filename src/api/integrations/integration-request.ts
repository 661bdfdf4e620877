import type { ApiDeps, Asked } from '../deps.ts';

/** A request of a person or key about one integration. */
export interface IntegrationRequest extends Asked {
  deps: ApiDeps;
  id: string;
}
