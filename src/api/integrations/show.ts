import type { ApiDeps } from '../deps.ts';
import { found } from '../shared.ts';
import { presentIntegration } from './present.ts';

/** The integration as the API shows it now. @throws SecuError `not_found` */
export async function showIntegration(deps: ApiDeps, id: string) {
  const view = found(await deps.database.stores.integrationViews.find(id), 'integration');
  return presentIntegration(view, { thresholds: deps.settings.expiryThresholds, now: deps.now() });
}
