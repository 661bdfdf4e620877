import type { Dispatcher } from 'undici';
import { fetch } from 'undici';
import { SecuError } from '../domain/errors.ts';

const MAX_BODY_BYTES = 2 ** 20;
const MIN_SERVER_ERROR = 500;

/**
 * `fetch` for the OpenID library, over our own connections: follows no redirects, limits answers to
 * 1 MiB, and turns outages into errors.
 */
export function createSignOnFetch({ dispatcherFor }: { dispatcherFor: (url: URL) => Dispatcher }) {
  return async (
    address: string,
    options: {
      method: string;
      headers: Record<string, string>;
      body?: unknown;
      signal?: AbortSignal | undefined;
    },
  ): Promise<Response> => {
    const url = new URL(address);
    const { method, headers, body, signal } = options;
    try {
      const response = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        dispatcher: dispatcherFor(url),
        body: formOf(body),
        ...(signal === undefined ? {} : { signal }),
      });
      if (response.status >= MIN_SERVER_ERROR) {
        await response.body?.cancel();
        throw unavailable(url, `it answers ${response.status}`);
      }
      const bytes = await readLimited(response.body, url);
      return new Response(bytes, { status: response.status, headers: [...response.headers] });
    } catch (err) {
      if (err instanceof SecuError) throw err;
      throw unavailable(url, 'it cannot be reached', err);
    }
  };
}

/** The library sends only forms. */
function formOf(body: unknown): string | null {
  return body instanceof URLSearchParams ? body.toString() : null;
}

async function readLimited(
  body: AsyncIterable<unknown> | null,
  url: URL,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (body === null) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MAX_BODY_BYTES) throw unavailable(url, 'its answer is too large');
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function unavailable(url: URL, problem: string, cause?: unknown): SecuError {
  const message = `the provider of single sign-on at ${url.host}: ${problem}`;
  return new SecuError('sign_on_unavailable', message, cause === undefined ? {} : { cause });
}
