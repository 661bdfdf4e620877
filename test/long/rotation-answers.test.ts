import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { FaultAnswer } from '../../simulator/faults.ts';
import type { RotationWorld } from './support/rotation.ts';
import { createEndTable, createRotationWorld, SELF_ROTATE } from './support/rotation.ts';

/** Runs per response; SECU_ROTATION_RUNS=20 creates the table of the docs. */
const RUNS = Number(process.env['SECU_ROTATION_RUNS'] ?? '1');

let rotation: RotationWorld;
const table = createEndTable('GitLab responds with');

beforeAll(async () => {
  rotation = await createRotationWorld();
  await rotation.startWorker();
});
afterAll(async () => {
  await rotation?.close();
  table.print();
});
beforeEach(() => {
  rotation.world.simulator.control.faults.clear();
  rotation.world.simulator.control.requests.reset();
});

interface Expected {
  end: 'done' | 'lost' | 'refused' | 'not_rotated';
  code: string;
  /** Whether the simulated GitLab has a new token. */
  rotated: boolean;
}

const LOST: Expected = { end: 'lost', code: 'rotation_lost', rotated: true };
const refused = (code: string): Expected => ({ end: 'refused', code, rotated: false });
const api = (id: string): FaultAnswer => ({ kind: 'case', id, of: 'api' });

const ANSWERS: readonly (readonly [string, FaultAnswer, Expected])[] = [
  ['the reply is lost', { kind: 'lost_reply', how: 'disconnect' }, LOST],
  ['502 after the commit', { kind: 'lost_reply', how: 'bad_gateway' }, LOST],
  ['200, half of the body', { kind: 'cut' }, LOST],
  ['200, an empty token', { kind: 'emptied', field: 'token' }, LOST],
  [
    '502, nothing done',
    { kind: 'html', status: 502 },
    { end: 'not_rotated', code: 'in_doubt', rotated: false },
  ],
  ['400', api('rotate_expiry_not_a_date'), refused('rotation_refused')],
  // a refusal that contradicts the state of the token is accepted only after a second check
  ['401, and the token works', api('revoked'), { end: 'not_rotated', code: 'in_doubt', rotated: false }],
  ['403', api('scope_self_rotate'), refused('token_scope_missing')],
  ['405', api('rotate_not_a_pat'), refused('token_wrong_kind')],
  ['200 after 60 s', { kind: 'slow', delayMs: 60_000 }, { end: 'done', code: 'ok', rotated: true }],
];

test.each(Array.from({ length: RUNS }, () => ANSWERS).flat())(
  '%s: one POST, and no wrong token is used unnoticed',
  async (what, answer, expected) => {
    const { integrationId, tokenId } = await rotation.connect();
    rotation.world.simulator.control.faults.add({ match: { path: SELF_ROTATE, times: 1 }, answer });
    const commandId = await rotation.requestRotation(integrationId);
    const end = await rotation.endOf(integrationId);
    table.add(what, end);
    expect({ what, end, result: await rotation.resultOf(commandId) }).toEqual({
      what,
      end: expected.end,
      result: { code: expected.code },
    });
    expect(rotation.countRotateRequests()).toBe(1);
    const activeTokens = rotation.activeTokensOf(tokenId);
    expect(activeTokens).toHaveLength(1);
    expect(activeTokens[0] === tokenId).toBe(!expected.rotated);
    const row = await rotation.rowOf(integrationId);
    const current = await rotation.world.database.stores.credentials.current(integrationId);
    if (expected.end === 'lost') {
      expect(row).toMatchObject({ verdict: 'invalid', cause: 'rotation_lost' });
      return;
    }
    // for every response, the token in use is the valid one
    expect(current?.gitlabTokenId).toBe(activeTokens[0]);
    expect(row['verdict']).toBe('active');
  },
);
