import { writeFileSync } from 'node:fs';
import { readConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { PrintLine } from '../embedded/print-line.ts';
import { addressFileOf } from './commands/client.ts';
import type { Stack } from './stack.ts';
import { withStack } from './with-stack.ts';

/** `npm start`: runs all of Secu until a stop signal. */
export async function up(env: Environment): Promise<void> {
  const config = readConfig(env, { isRoot: process.getuid?.() === 0 });
  const printLine = (line: string) => void process.stdout.write(`${line}\n`);
  const printSlowStep = (step: { name: string; ms: number }) => {
    if (step.ms > 1_000) printLine(`${step.name}: ${(step.ms / 1_000).toFixed(1)} s`);
  };
  await withStack({ config, env, printLine, onStep: printSlowStep }, async (stack) => {
    await printStartMessage({ stack, home: config.home, printLine });
    await new Promise<never>(() => {}); // until a stop signal
  });
}

async function printStartMessage({
  stack,
  home,
  printLine,
}: {
  stack: Stack;
  home: string;
  printLine: PrintLine;
}): Promise<void> {
  writeFileSync(addressFileOf(home), `${stack.url}\n`, { mode: 0o600 });
  printLine(
    `Secu is running at ${stack.url} (API: ${stack.url}/api/v1, documentation: ${stack.url}/api/docs)`,
  );
  if (stack.temporalUi !== null) printLine(`Temporal UI: ${stack.temporalUi}`);
  const link = await stack.setupLink();
  if (link !== null)
    printLine(`Create the first administrator (one-time link, valid for 15 minutes): ${link}`);
  if (await hasMissingChannels(stack))
    printLine(
      'No channel sends expiry alerts for some tokens. Set one up: docs/how-to/set-up-alerts.md (email, webhook, Slack).',
    );
  printLine(
    `Data folder: ${home}. The command line finds its API key there: node bin/secu.js integrations add`,
  );
  printLine('Press Ctrl-C to stop everything; the next start continues where it stopped.');
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
