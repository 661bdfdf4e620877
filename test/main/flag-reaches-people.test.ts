import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { dateInDays } from '../../src/domain/rotation.ts';
import { addChannel, SIGNING_SECRET, startTelling } from '../support/channels.ts';
import { addIntegration } from '../support/integration.ts';
import type { HttpReceiver } from '../support/receivers.ts';
import { httpReceiver, mailReceiver } from '../support/receivers.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let receiver: HttpReceiver;
let mail: Awaited<ReturnType<typeof mailReceiver>>;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
  receiver = await httpReceiver();
  mail = await mailReceiver();
  world.onClose(() => receiver.close());
  world.onClose(() => mail.close());
});
afterAll(() => world.close());

test('the workflow flags a token that expires soon, and sends a signed webhook, a Slack message and a mail', async () => {
  await addChannel(world, { url: `${receiver.url}/hook` });
  await addChannel(world, { kind: 'slack', url: `${receiver.url}/slack` });
  await addChannel(world, { kind: 'email', to: 'team@example.com' });
  const expiresAt = dateInDays(Date.now(), 5);
  const { token } = world.simulator.control.createToken({
    scopes: ['read_api', 'read_repository'],
    expiresAt,
  });
  await startWorkers(world);
  startTelling(world, {
    sender: { mail: { url: `smtp://127.0.0.1:${mail.port}`, from: 'secu@example.com', caPem: null } },
  });
  const { integrationId } = await addIntegration(world, { token });

  await awaitUntil(() => receiver.posts.length === 2 && mail.mails.length === 1, {
    timeoutMs: 50_000,
    what: 'three messages',
  });
  const hook = receiver.posts.find(({ path }) => path === '/hook');
  expect(
    new Webhook(SIGNING_SECRET).verify(hook?.body ?? '', hook?.headers as Record<string, string>),
  ).toMatchObject({
    type: 'integration.expiry_flagged',
    data: {
      integrationId,
      link: `https://secu.example.com/integrations/${integrationId}`,
      details: { thresholdDays: 7, expiresAt },
    },
  });
  expect(receiver.posts.find(({ path }) => path === '/slack')?.body).toContain(expiresAt);
  expect(mail.mails[0]?.raw).toContain(expiresAt);

  // exactly three messages: five days before expiry, the flags of 60, 30, 14 and 7 days are one
  const flags = await world.db.query(
    `select 1 from event where kind = 'integration.expiry_flagged' and integration_id = $1`,
    [integrationId],
  );
  expect(flags).toHaveLength(1);
  const sent = await world.db.query<{ state: string }>('select state from delivery');
  expect(sent.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent']);
});
