import type { WatchedPage } from './browser.ts';

export const MEMORY = 'the memory of the page, its caches included';

/** The places in the browser that still contain one of the secrets; empty if there are none. */
export async function placesHolding(
  { page, context, answers }: WatchedPage,
  { secrets, addresses }: { secrets: readonly string[]; addresses: readonly string[] },
): Promise<string[]> {
  const [dom, storage, history]: [string, string, string] = await page.evaluate(
    `[
      document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map(({ value }) => value).join(),
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
      location.href + JSON.stringify(history.state),
    ]`,
  );
  const places = {
    'the page': dom,
    storage,
    history,
    cookies: JSON.stringify(await context.cookies()),
    'an address that was asked for': addresses.join('\n'),
    'an answer of the server': answers.join('\n'),
    [MEMORY]: await heapOf(page, context),
  };
  return Object.entries(places).flatMap(([place, text]) =>
    secrets.some((secret) => text.includes(secret)) ? [place] : [],
  );
}

/** A heap snapshot of the page, taken after a garbage collection. */
async function heapOf(page: WatchedPage['page'], context: WatchedPage['context']): Promise<string> {
  const devtools = await context.newCDPSession(page);
  const chunks: string[] = [];
  devtools.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await devtools.detach();
  return chunks.join('');
}
