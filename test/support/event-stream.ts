import { awaitUntil } from '../../harness/await-until.ts';

export interface StreamedEvent {
  /** Only stored events have an ID, live events have none. */
  id: string | null;
  kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the fields that they expect
  data: any;
}

export interface EventStream {
  status: number;
  headers: Headers;
  events: StreamedEvent[];
  /** True after the server has closed the stream. */
  ended: boolean;
  /** Waits for this number of stored events. */
  stored(count: number, timeoutMs?: number): Promise<StreamedEvent[]>;
  close(): Promise<void>;
}

/** Reads server-sent events until the stream is closed. */
export async function openStream(options: {
  url: string;
  /** An API key; or other credentials as headers. */
  key?: string;
  headers?: Record<string, string>;
  lastEventId?: string;
}): Promise<EventStream> {
  const aborter = new AbortController();
  const response = await fetch(options.url, {
    signal: aborter.signal,
    headers: {
      ...(options.key === undefined ? {} : { Authorization: `Bearer ${options.key}` }),
      ...options.headers,
      ...(options.lastEventId === undefined ? {} : { 'Last-Event-ID': options.lastEventId }),
    },
  });
  const stream: EventStream = {
    status: response.status,
    headers: response.headers,
    events: [],
    ended: false,
    stored: (count, timeoutMs = 10_000) =>
      awaitUntil(
        () => {
          const found = stream.events.filter(({ id }) => id !== null);
          return found.length >= count ? found : null;
        },
        { timeoutMs, what: `${count} stored events` },
      ),
    async close() {
      aborter.abort();
      await reading;
    },
  };
  const reading = read(response, stream).catch((err: unknown) => {
    if (!aborter.signal.aborted) throw err;
  });
  return stream;
}

async function read(response: Response, stream: EventStream): Promise<void> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    stream.events.push(...blocks.flatMap(eventOf));
  }
  stream.ended = true;
}

function eventOf(block: string): StreamedEvent[] {
  const field = (name: string) =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
      .join('\n');
  if (field('data') === '') return []; // a comment
  return [
    { id: field('id') === '' ? null : field('id'), kind: field('event'), data: JSON.parse(field('data')) },
  ];
}
