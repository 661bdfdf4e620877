import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { installSchemathesis, runToEnd } from './support/schemathesis.ts';

/** Every run sends the same requests; SECU_FUZZ_SEED and SECU_FUZZ_EXAMPLES run other requests. */
const SEED = Number(process.env['SECU_FUZZ_SEED'] ?? 20_261_201);
const MAX_EXAMPLES = Number(process.env['SECU_FUZZ_EXAMPLES'] ?? 8);
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

let world: TestWorld;
let api: TestApi;
let program: string;

beforeAll(async () => {
  program = await installSchemathesis();
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
  api = await startApi(world);
  await startWorkers(world);
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  await api.call('POST integrations', { json: { provider: 'gitlab', type: 'git', token } });
});

afterAll(async () => {
  await world?.close();
});

test.each(['nobody', 'viewer', 'admin'] as const)(
  'every answer to %s is documented, and none is a 5xx',
  async (role) => {
    const auth = role === 'nobody' ? [] : ['--header', `Authorization: Bearer ${api.keys[role]}`];
    const args = [
      'run',
      `${api.url}/api/openapi.json`,
      '--url',
      api.url,
      ...auth,
      '--checks',
      CHECKS.join(','),
      '--phases',
      'examples,coverage,fuzzing',
      '--seed',
      String(SEED),
      '--max-examples',
      String(MAX_EXAMPLES),
      '--exclude-path',
      '/api/v1/events/stream',
      '--request-timeout',
      '30',
      '--continue-on-failure',
      '--no-color',
    ];
    const { code, output } = await runToEnd(program, args, world.folder);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  },
);
