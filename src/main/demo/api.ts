import { SecuError } from '../../domain/errors.ts';

/** The HTTP API for the demo: untyped JSON that is read by path. */
export interface DemoApi {
  url: string;
  headers: Record<string, string>;
  get(path: string): Promise<unknown>;
  send(method: string, path: string, body: unknown): Promise<{ status: number; body: unknown }>;
  /** All items of a list. */
  all(path: string): Promise<unknown[]>;
}

export function createApi({ url, apiKey }: { url: string; apiKey: string }): DemoApi {
  const headers = { Authorization: `Bearer ${apiKey}` };
  const send: DemoApi['send'] = async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  const get: DemoApi['get'] = async (path) => {
    const { status, body } = await send('GET', path, undefined);
    if (status !== 200)
      throw new SecuError('internal', `GET ${path} returned ${status}: ${JSON.stringify(body)}`);
    return body;
  };
  return {
    url,
    headers,
    get,
    send,
    async all(path) {
      const items: unknown[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const separator = path.includes('?') ? '&' : '?';
        const page = asPage(
          await get(`${path}${separator}limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`),
        );
        items.push(...page.items);
        cursor = page.nextCursor;
      }
      return items;
    },
  };
}

function asPage(body: unknown): { items: unknown[]; nextCursor: string | null } {
  if (typeof body !== 'object' || body === null || !('items' in body) || !Array.isArray(body.items)) {
    throw new SecuError('internal', 'the response is not a list');
  }
  return {
    items: body.items,
    nextCursor: 'nextCursor' in body && typeof body.nextCursor === 'string' ? body.nextCursor : null,
  };
}
