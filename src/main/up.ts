import { writeFileSync } from 'node:fs';
import { readConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { Say } from '../embedded/say.ts';
import { addressFileOf } from './commands/client.ts';
import type { Stack } from './stack.ts';
import { withStack } from './with-stack.ts';

/** `npm start`: everything, until it is told to stop. */
export async function up(env: Environment): Promise<void> {
  const config = readConfig(env, { isRoot: process.getuid?.() === 0 });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const slow = (step: { name: string; ms: number }) => {
    if (step.ms > 1_000) say(`${step.name}: ${(step.ms / 1_000).toFixed(1)} s`);
  };
  await withStack({ config, env, say, onStep: slow }, async (stack) => {
    await announce({ stack, home: config.home, say });
    await new Promise<never>(() => {}); // until it is told to stop
  });
}

async function announce({ stack, home, say }: { stack: Stack; home: string; say: Say }): Promise<void> {
  writeFileSync(addressFileOf(home), `${stack.url}\n`, { mode: 0o600 });
  say(`Secu runs at ${stack.url} (API: ${stack.url}/api/v1, described at ${stack.url}/api/docs)`);
  if (stack.temporalUi !== null) say(`Temporal UI: ${stack.temporalUi}`);
  const link = await stack.setupLink();
  if (link !== null) say(`Make the first administrator, once, within 15 minutes: ${link}`);
  if (await isNobodyTold(stack))
    say(
      'Nobody is told yet when a token nears its end: docs/how-to/be-told.md says how (mail, webhook, Slack).',
    );
  say(`Data: ${home}. The command line finds its key there: node bin/secu.js integrations add`);
  say('Ctrl-C stops everything; the next start goes on where it was.');
}

/** As the overview says; a start does not fail over it. */
async function isNobodyTold({ url, apiKey }: { url: string; apiKey: string }): Promise<boolean> {
  try {
    const response = await fetch(`${url}/api/v1/overview`, {
      headers: { Authorization: `Bearer ${apiKey}` },
    });
    const { attention } = (await response.json()) as { attention: { kind: string }[] };
    return attention.some(({ kind }) => kind === 'no_channel');
  } catch {
    return false;
  }
}
