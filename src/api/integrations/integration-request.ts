import type { ApiDeps, RequestOrigin } from '../deps.ts';

/** A request of a person or key about one integration. */
export interface IntegrationRequest extends RequestOrigin {
  deps: ApiDeps;
  id: string;
}
