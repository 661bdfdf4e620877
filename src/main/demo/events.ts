import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { textAt } from '../commands/print.ts';
import type { DemoApi } from './api.ts';

/** Prints events live from the event stream. */
export async function printEvents({
  api,
  printLine,
}: {
  api: DemoApi;
  printLine: (line: string) => void;
}): Promise<{ stop(): void }> {
  const stopping = new AbortController();
  const response = await fetch(`${api.url}/api/v1/events/stream`, {
    headers: api.headers,
    signal: stopping.signal,
  });
  const { body } = response;
  if (body !== null) {
    const lines = createInterface({ input: Readable.fromWeb(body) });
    lines.on('error', (err) => {
      if (!stopping.signal.aborted) printLine(`the event stream closed: ${String(err)}`);
    });
    lines.on('line', (line) => {
      if (line.startsWith('data: ')) printLine(formatEvent(JSON.parse(line.slice('data: '.length))));
    });
  }
  return { stop: () => stopping.abort() };
}

function formatEvent(event: unknown): string {
  const at = textAt(event, 'at').slice(11, 19);
  const text = textAt(event, 'text') || `${textAt(event, 'repositoryId')} ${textAt(event, 'data.phase')}`;
  return `${at}  ${textAt(event, 'kind').padEnd(24)} ${text}`;
}
