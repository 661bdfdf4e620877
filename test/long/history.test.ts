import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { Secu } from '../../harness/secu.ts';
import type { Simulator } from '../../simulator/index.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { ConnectedSecu } from './support/connected.ts';
import { startConnectedSecu } from './support/connected.ts';
import { awaitSettled } from './support/story.ts';

const secrets = createSecrets('long-history');
const RECIPES = fleetRecipes(20).filter(({ expect }) => expect.findings.length === 0);
const PATH = RECIPES[0]?.path ?? '';
const BIG = RECIPES[1]?.path ?? '';

let connected: ConnectedSecu | undefined;
let simulator: Simulator;
let secu: Secu;
let integrationId: string;
let repositoryId: string;

beforeAll(async () => {
  connected = await startConnectedSecu({
    recipes: RECIPES,
    // a secret that was removed before Secu is connected
    async prepare({ control }) {
      const file = 'before.env';
      await control.pushCommit({ project: PATH, files: { [file]: `A=${secrets.githubToken()}\n` } });
      await control.pushCommit({ project: PATH, files: { [file]: null } });
    },
  });
  ({ secu, simulator, integrationId } = connected);
  repositoryId = await idOf(PATH);
});

afterAll(async () => {
  await connected?.close();
});

const push = (path: string, files: Record<string, string | null>, branch?: string) =>
  simulator.control.pushCommit({ project: path, files, branch });

async function idOf(path: string): Promise<string> {
  const { body } = await secu.call('GET', `/repositories?q=${encodeURIComponent(path)}`);
  return body.items[0].id;
}

async function syncAndSettle(): Promise<void> {
  const { body } = await secu.call('POST', `/integrations/${integrationId}/sync`, {});
  await awaitUntil(
    async () => {
      const syncs = (await secu.call('GET', `/integrations/${integrationId}/syncs`)).body.items;
      return syncs.some(
        ({ id, state }: { id: string; state: string }) => id === body.syncId && state === 'done',
      );
    },
    { timeoutMs: 60_000, what: 'the sync' },
  );
  await awaitSettled(secu, integrationId);
}

const findingsOf = async (id: string) =>
  (await secu.list(`/findings?repositoryId=${id}&kind=secret`)).map(
    ({ path, status, atHead }) => `${path} ${status} ${atHead ? 'at the head' : 'in the history'}`,
  );

const lastScan = async () => (await secu.list(`/repositories/${repositoryId}/scans`))[0];

test('what was removed before Secu was connected is found in the history', async () => {
  expect(await findingsOf(repositoryId)).toEqual(['before.env open in the history']);
  const repository = (await secu.call('GET', `/repositories/${repositoryId}`)).body;
  expect(repository.history).toMatchObject({ state: 'read', refs: [{ name: 'main' }] });
});

test('what was added and removed between two syncs is found by the scan of the new commits', async () => {
  const { commit } = await push(PATH, { 'between.env': `A=${secrets.githubToken()}\n` });
  await push(PATH, { 'between.env': null });
  await syncAndSettle();
  expect(await findingsOf(repositoryId)).toContain('between.env open in the history');
  expect(await lastScan()).toMatchObject({ history: 'since', outcome: 'findings' });
  const [finding] = await secu.list(`/findings?repositoryId=${repositoryId}&q=between`);
  expect(finding.commit).toBe(commit);
});

test('another branch is searched once the integration watches it', async () => {
  await simulator.control.git(PATH, ['branch', 'release/1', 'main']);
  await push(PATH, { 'branch.env': `A=${secrets.githubToken()}\n` }, 'release/1');
  await syncAndSettle();
  expect(await findingsOf(repositoryId)).toHaveLength(2);
  const branches = { mode: 'globs', globs: ['release/*'] };
  expect((await secu.call('PATCH', `/integrations/${integrationId}`, { branches })).status).toBe(200);
  await syncAndSettle();
  expect(await findingsOf(repositoryId)).toContain('branch.env open in the history');
});

test('a scan of new commits whose worker is killed starts again where it was, and stores nothing twice', async () => {
  const id = await idOf(BIG);
  for (let index = 0; index < 60; index += 1) await push(BIG, { 'a.txt': `${index}\n` });
  await push(BIG, { 'big.env': `A=${secrets.githubToken()}\n` });
  await push(BIG, { 'big.env': null });
  simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true, times: 1 },
    answer: { kind: 'slow', delayMs: 5_000 },
  });
  await secu.call('POST', `/integrations/${integrationId}/sync`, {});
  await awaitUntil(async () => simulator.control.requests.clones().inFlight > 0, { timeoutMs: 30_000 });
  await secu.kill('scan-worker');
  simulator.control.faults.clear();
  await secu.ready();
  await syncAndSettle();
  expect(await findingsOf(id)).toEqual(['big.env open in the history']);
  const scans = await secu.list(`/repositories/${id}/scans`);
  expect(scans.filter(({ history }) => history === 'since')).toHaveLength(1);
});
