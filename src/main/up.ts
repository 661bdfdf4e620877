import { writeFileSync } from 'node:fs';
import { readConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { Say } from '../embedded/say.ts';
import { addressFileOf } from './commands/client.ts';
import type { Stack } from './stack.ts';
import { withStack } from './with-stack.ts';

/** `npm start`: runs all of Secu until a stop signal. */
export async function up(env: Environment): Promise<void> {
  const config = readConfig(env, { isRoot: process.getuid?.() === 0 });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const printSlowStep = (step: { name: string; ms: number }) => {
    if (step.ms > 1_000) say(`${step.name}: ${(step.ms / 1_000).toFixed(1)} s`);
  };
  await withStack({ config, env, say, onStep: printSlowStep }, async (stack) => {
    await printStartMessage({ stack, home: config.home, say });
    await new Promise<never>(() => {}); // until a stop signal
  });
}

async function printStartMessage({
  stack,
  home,
  say,
}: {
  stack: Stack;
  home: string;
  say: Say;
}): Promise<void> {
  writeFileSync(addressFileOf(home), `${stack.url}\n`, { mode: 0o600 });
  say(`Secu is running at ${stack.url} (API: ${stack.url}/api/v1, documentation: ${stack.url}/api/docs)`);
  if (stack.temporalUi !== null) say(`Temporal UI: ${stack.temporalUi}`);
  const link = await stack.setupLink();
  if (link !== null) say(`Create the first administrator (one-time link, valid for 15 minutes): ${link}`);
  if (await hasMissingChannels(stack))
    say(
      'No channel sends expiry alerts for some tokens. Set one up: docs/how-to/set-up-alerts.md (email, webhook, Slack).',
    );
  say(`Data folder: ${home}. The command line finds its API key there: node bin/secu.js integrations add`);
  say('Press Ctrl-C to stop everything; the next start continues where it stopped.');
}

/** Reads the warning from the overview. An error here does not fail the start. */
async function hasMissingChannels({ url, apiKey }: { url: string; apiKey: string }): Promise<boolean> {
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
