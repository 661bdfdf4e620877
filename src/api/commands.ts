import type { ApiDeps } from './deps.ts';

const LOOK_EVERY_MS = 100;

/**
 * Waits for the result of a command's row, at most `timeoutMs`.
 * @returns `null` when it is not there by then: the command goes on
 */
export async function awaitCommand(input: {
  database: ApiDeps['database'];
  commandId: string;
  timeoutMs: number;
}): Promise<Record<string, unknown> | null> {
  const untilMs = performance.now() + input.timeoutMs;
  for (;;) {
    const command = await input.database.stores.commands.find(input.commandId);
    if (command === null || command.state === 'done') return command?.result ?? null;
    if (performance.now() >= untilMs) return null;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
