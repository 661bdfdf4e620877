import { SecuError } from '../../domain/errors.ts';
import { fieldAt, textAt } from '../commands/print.ts';
import type { DemoApi } from './api.ts';
import type { DemoSimulator } from './simulator.ts';

const NAME = 'Simulated GitLab';

/** Creates the integration of the demo. If it exists, gives it a working token and scans it again. */
export async function connectIntegration(input: {
  api: DemoApi;
  simulator: DemoSimulator;
  printLine: (line: string) => void;
}): Promise<string> {
  const { api, simulator, printLine } = input;
  const before = (await api.all('/integrations')).find((item) => fieldAt(item, 'baseUrl') === simulator.url);
  if (before === undefined) {
    const body = {
      provider: 'gitlab',
      type: 'git',
      name: NAME,
      baseUrl: simulator.url,
      token: simulator.token,
    };
    const created = await api.send('POST', '/integrations', body);
    if (created.status !== 201)
      throw new SecuError(
        'internal',
        `POST /integrations returned ${created.status}: ${JSON.stringify(created.body)}`,
      );
    printLine(
      `${NAME}: ${textAt(created.body, 'status')}, token until ${textAt(created.body, 'token.expiresAt')}`,
    );
    return textAt(created.body, 'id');
  }
  const id = textAt(before, 'id');
  const verified = await api.send('POST', `/integrations/${id}/verify`, undefined);
  if (fieldAt(verified.body, 'status') !== 'active')
    await api.send('PUT', `/integrations/${id}/token`, { token: simulator.token });
  await api.send('POST', `/integrations/${id}/sync`, {});
  const { body } = await api.send('POST', `/integrations/${id}/scan`, {});
  printLine(`${NAME} already exists: ${textAt(body, 'queued')} scans queued`);
  return id;
}

const POLL_INTERVAL_MS = 200;
const TIMEOUT_MS = 15 * 60_000;

/** Waits until the listing is complete and no scan is queued or running. */
export async function waitUntilScanned(input: {
  api: DemoApi;
  integrationId: string;
  onListed: () => void;
  onFirstFinding: () => void;
}): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  let wasListed = false;
  let hasFinding = false;
  while (performance.now() < deadlineMs) {
    const observed = await input.api.get(`/integrations/${input.integrationId}`);
    const numberAt = (path: string) => Number(fieldAt(observed, path));
    const isIdle =
      fieldAt(observed, 'sync.state') === 'idle' && fieldAt(observed, 'sync.lastCompletedAt') !== null;
    if (!wasListed && isIdle) {
      wasListed = true;
      input.onListed();
    }
    if (!hasFinding && numberAt('counts.openFindings') > 0) {
      hasFinding = true;
      input.onFirstFinding();
    }
    const hasFailed =
      fieldAt(observed, 'status') === 'invalid' || fieldAt(observed, 'sync.state') === 'failed';
    if (hasFailed) throw new SecuError('internal', `the integration failed: ${JSON.stringify(observed)}`);
    if (
      isIdle &&
      numberAt('scans.queued') + numberAt('scans.running') === 0 &&
      numberAt('counts.repositories') > 0
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
  throw new SecuError('internal', 'the demo did not finish within 15 minutes');
}
