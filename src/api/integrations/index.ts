import type { ApiDeps } from '../deps.ts';
import { createRouter } from '../shared.ts';
import { createCreationRouter } from './creation-router.ts';
import { createHookTokenRouter } from './hook-token.ts';
import { createListsRouter } from './lists-router.ts';
import { createManagementRouter } from './management-router.ts';
import { createRepositoryWorkRouter } from './repository-work-router.ts';
import { createTokenRouter } from './token-router.ts';

/** The order matters: `/integrations/{id}` also matches `/integrations/token-link`. */
export function createIntegrationsRouter(deps: ApiDeps) {
  return createRouter()
    .route('/', createCreationRouter(deps))
    .route('/', createManagementRouter(deps))
    .route('/', createTokenRouter(deps))
    .route('/', createHookTokenRouter(deps))
    .route('/', createRepositoryWorkRouter(deps))
    .route('/', createListsRouter(deps));
}
