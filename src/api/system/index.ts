import { ISOLATION_LEVELS, PROTECTED } from '../../domain/isolation.ts';
import type { ApiDeps } from '../deps.ts';
import { KEY_STATES, TOOL_STATUSES } from '../deps.ts';
import { answers, createRoute, createRouter, forRole, z } from '../shared.ts';

const AboutSchema = z
  .object({
    version: z.string(),
    commit: z.string().nullable(),
    temporalUi: z.string().nullable(),
    namespace: z.string(),
    database: z.string(),
    tools: z.array(
      z.object({
        name: z.string(),
        version: z.string().nullable(),
        source: z.string().nullable(),
        status: z.enum(TOOL_STATUSES),
      }),
    ),
    keys: z.array(z.object({ id: z.string(), state: z.enum(KEY_STATES), uses: z.int() })),
    isolation: z.array(
      z.object({
        worker: z.string(),
        level: z.enum(ISOLATION_LEVELS),
        reachable: z.array(z.enum(PROTECTED)),
      }),
    ),
  })
  .openapi('About');

const about = createRoute({
  ...forRole('viewer'),
  tags: ['System'],
  method: 'get',
  path: '/about',
  summary: 'Versions, tools, keys in use, and how scan workers isolate scanners',
  responses: answers(200, AboutSchema, 'This installation'),
});

export function createAboutRouter(deps: ApiDeps) {
  return createRouter().openapi(about, async (c) => {
    const facts = await deps.about();
    return c.json(c.get('principal').role === 'admin' ? facts : { ...facts, keys: [] }, 200);
  });
}
