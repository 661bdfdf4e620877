export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field, and a wrong field fails the test
  body: any;
}

/** The HTTP API of a Secu that runs in a separate process. */
export interface Client {
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** All items of a list, from all pages. */
  list(path: string): Promise<Answer['body'][]>;
}

/** `apiKey` is read at each call, because Secu may create its key at its first start. */
export function createClient({ url, apiKey }: { url: string; apiKey: () => string }): Client {
  const client: Client = {
    async call(method, path, body) {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${apiKey()}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    async list(path) {
      const items: Answer['body'][] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { body } = await client.call(
          'GET',
          `${path}${path.includes('?') ? '&' : '?'}limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        items.push(...body.items);
        cursor = body.nextCursor;
      }
      return items;
    },
  };
  return client;
}
