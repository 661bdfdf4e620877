import { SecuError } from '../../domain/errors.ts';
import { fieldAt, textAt } from '../commands/print.ts';
import type { DemoApi } from './api.ts';
import type { DemoSimulator } from './simulator.ts';

const NAME = 'Simulated GitLab';

/** The integration of the demo: made the first time, given a token that works and scanned anew from then on. */
export async function connectIntegration(input: {
  api: DemoApi;
  simulator: DemoSimulator;
  say: (line: string) => void;
}): Promise<string> {
  const { api, simulator, say } = input;
  const before = (await api.all('/integrations')).find((item) => fieldAt(item, 'baseUrl') === simulator.url);
  if (before === undefined) {
    const body = {
      provider: 'gitlab',
      type: 'git',
      name: NAME,
      baseUrl: simulator.url,
      token: simulator.token,
    };
    const made = await api.send('POST', '/integrations', body);
    if (made.status !== 201)
      throw new SecuError(
        'internal',
        `POST /integrations answered ${made.status}: ${JSON.stringify(made.body)}`,
      );
    say(`${NAME}: ${textAt(made.body, 'status')}, token until ${textAt(made.body, 'token.expiresAt')}`);
    return textAt(made.body, 'id');
  }
  const id = textAt(before, 'id');
  const verified = await api.send('POST', `/integrations/${id}/verify`, undefined);
  if (fieldAt(verified.body, 'status') !== 'active')
    await api.send('PUT', `/integrations/${id}/token`, { token: simulator.token });
  await api.send('POST', `/integrations/${id}/sync`, {});
  const { body } = await api.send('POST', `/integrations/${id}/scan`, {});
  say(`${NAME} is known from before: ${textAt(body, 'queued')} scans queued`);
  return id;
}

const LOOK_EVERY_MS = 200;
const TIMEOUT_MS = 15 * 60_000;

/** Waits until the listing is complete and nothing waits or runs. */
export async function isSettled(input: {
  api: DemoApi;
  integrationId: string;
  onListed: () => void;
  onFirstFinding: () => void;
}): Promise<void> {
  const untilMs = performance.now() + TIMEOUT_MS;
  let listed = false;
  let found = false;
  while (performance.now() < untilMs) {
    const seen = await input.api.get(`/integrations/${input.integrationId}`);
    const number = (path: string) => Number(fieldAt(seen, path));
    const idle = fieldAt(seen, 'sync.state') === 'idle' && fieldAt(seen, 'sync.lastCompletedAt') !== null;
    if (!listed && idle) {
      listed = true;
      input.onListed();
    }
    if (!found && number('counts.openFindings') > 0) {
      found = true;
      input.onFirstFinding();
    }
    const failedForGood = fieldAt(seen, 'status') === 'invalid' || fieldAt(seen, 'sync.state') === 'failed';
    if (failedForGood)
      throw new SecuError('internal', `the integration did not get through: ${JSON.stringify(seen)}`);
    if (idle && number('scans.queued') + number('scans.running') === 0 && number('counts.repositories') > 0)
      return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new SecuError('internal', 'the demo did not end in 15 minutes');
}
