import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { testServerAddress } from '../support/server-addresses.ts';
import {
  breakagesIn,
  eventNamesOf,
  foreignTextIn,
  HISTORIES,
  historyNames,
  isRecording,
} from './support/histories.ts';
import type { Recorded, Story } from './support/story.ts';
import { liveStory } from './support/story.ts';

const TYPES = [
  'integrationWorkflow',
  'reconcileWorkflow',
  'repositoryScanWorkflow',
  'scanFleetWorkflow',
  'syncWorkflow',
];

describe.each([
  ['with workflows in the cache', undefined],
  ['with every step replayed from the history', 0],
])('an integration from its creation to its removal, %s', (_how, maxCachedWorkflows) => {
  let story: Story;

  beforeAll(async () => {
    story = await liveStory(maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows });
  }, 120_000);

  test('runs all five workflows without a failure', () => {
    expect([...new Set(story.recorded.map(({ type }) => type))].toSorted()).toEqual(TYPES);
    expect(story.recorded.flatMap(({ history }) => breakagesIn(history))).toEqual([]);
  });

  test('leaves only IDs, dates, counts and codes in the histories', () => {
    for (const { history } of story.recorded) expect(foreignTextIn(history)).toEqual([]);
    const everything = story.recorded.map(({ history }) => historyToJSON(history)).join('\n');
    const decoded = everything.replace(/"data": ?"([A-Za-z0-9+/=]+)"/g, (_match, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    for (const text of story.private) expect(decoded).not.toContain(text);
  });

  test('costs eleven events per successful scan', () => {
    const scans = story.recorded.filter(({ type }) => type === 'repositoryScanWorkflow');
    expect(scans.length).toBeGreaterThan(6);
    expect(scans.filter(({ history }) => eventNamesOf(history).length !== 11)).toEqual([]);
  });

  test('is replayed by the same code', async () => {
    for (const { workflowId, history } of story.recorded) {
      await Worker.runReplayHistory(
        { workflowBundle: { codePath: testServerAddress('workflowBundle') } },
        history,
        workflowId,
      );
    }
  });

  if (isRecording() && maxCachedWorkflows === undefined) {
    test('is recorded', () => {
      for (const name of historyNames()) rmSync(join(HISTORIES, name));
      for (const [name, { history }] of chosen(story.recorded))
        writeFileSync(join(HISTORIES, `${name}.json`), `${historyToJSON(history)}\n`);
      expect(historyNames()).not.toHaveLength(0);
    });
  }
});

/** One history per shape. Runs with the same kinds of events in the same order have the same shape. */
function chosen(recorded: readonly Recorded[]): Map<string, Recorded> {
  const shapes = new Map<string, Recorded>();
  for (const run of recorded) shapes.set(`${run.type} ${eventNamesOf(run.history).join()}`, run);
  const named = new Map<string, Recorded>();
  for (const run of [...shapes.values()].toReversed()) {
    const name = run.type.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const number = [...named.keys()].filter((key) => key.startsWith(`${name}-`)).length + 1;
    named.set(`${name}-${number}`, run);
  }
  return named;
}
