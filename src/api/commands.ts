import type { OutboxEntry } from '../db/stores/outbox.ts';
import { sendWakes } from '../db/wakes.ts';
import type { CommandKind, CommandResults } from '../domain/command.ts';
import type { ApiDeps } from './deps.ts';
import { pollUntil } from './poll-until.ts';

/** How long a request waits for its command before it answers 202. */
export const COMMAND_TIMEOUT_MS = 15_000;

/**
 * Waits up to `timeoutMs` for the result of a command.
 * @returns `null` on timeout; the command continues in the background
 */
export async function awaitCommand<Kind extends CommandKind>(input: {
  database: ApiDeps['database'];
  kind: Kind;
  commandId: string;
  timeoutMs: number;
}): Promise<CommandResults[Kind] | null> {
  const command = await pollUntil({
    read: () => input.database.stores.commands.find({ id: input.commandId, kind: input.kind }),
    isDone: (row) => row === null || row.state === 'done',
    timeoutMs: input.timeoutMs,
  });
  return command?.state === 'done' ? command.result : null;
}

/**
 * Sends the wakes that a committed transaction wrote to the outbox. Errors are only logged: the request is already stored,
 * and the dispatcher retries.
 */
export async function wake(deps: ApiDeps, entries: readonly OutboxEntry[]): Promise<{ sent: number }> {
  try {
    return await sendWakes(deps, entries);
  } catch (err) {
    deps.log.error({ err }, 'could not wake a workflow; the dispatcher retries');
    return { sent: 0 };
  }
}
