export { integrationWorkflow } from './integration.ts';
export { reconcileWorkflow } from './reconcile.ts';
export { repositoryScanWorkflow } from './repository-scan.ts';
export { scanFleetWorkflow } from './scan-fleet.ts';
export { syncWorkflow } from './sync.ts';
