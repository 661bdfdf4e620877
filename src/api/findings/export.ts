import type { Context } from 'hono';
import type { FindingFilter, FindingView } from '../../db/stores/finding-view.ts';
import { SecuError } from '../../domain/errors.ts';
import { encodedPath, repositoryWebUrl } from '../../domain/finding.ts';
import { isIdOf } from '../../domain/ids.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { isStillAllowed } from '../middleware/authenticate.ts';
import {
  auditEvent,
  auditedBy,
  createRoute,
  createRouter,
  forRole,
  iso,
  problemAnswers,
  z,
} from '../shared.ts';
import { csvOf } from './csv.ts';
import { presentFinding } from './present.ts';
import type { ExportedFinding } from './sarif.ts';
import { sarifOf } from './sarif.ts';
import { findingFilter } from './schemas.ts';

const PER_READ = 500;
const CSV = 'text/csv; charset=utf-8';
// typed loosely, so that the route is not inferred as one with a JSON answer
const SARIF: string = 'application/sarif+json';

const common = {
  ...forRole('viewer'),
  tags: ['Findings'],
  method: 'get' as const,
  request: { query: z.strictObject(findingFilter) },
};

const csv = createRoute({
  ...common,
  path: '/findings.csv',
  summary: "Export findings as CSV (RFC 4180), oldest first; cells that look like formulas get a leading '",
  responses: {
    200: { description: 'The file', content: { 'text/csv': { schema: z.string() } } },
    ...problemAnswers([400, 401, 403, 503]),
  },
});

const sarif = createRoute({
  ...common,
  path: '/findings.sarif',
  summary:
    'Export findings as SARIF 2.1.0, oldest first; ignored findings are suppressed; fixed and removed ones only with the status filter',
  responses: {
    200: { description: 'The file', content: { [SARIF]: { schema: z.object({}).loose() } } },
    ...problemAnswers([400, 401, 403, 503]),
  },
});

export function createExportRouter(deps: ApiDeps) {
  const { version } = deps.settings;
  return createRouter()
    .openapi(csv, async (c) => {
      const filter = c.req.valid('query');
      return answer({
        c,
        deps,
        filter,
        format: 'csv',
        type: CSV,
        pieces: csvOf(await pagesOf({ c, deps, filter })),
      });
    })
    .openapi(sarif, async (c) => {
      // viewers of SARIF take every result for an open one, so closed findings are only exported when asked for
      const query = c.req.valid('query');
      const filter = { ...query, status: query.status ?? ['open', 'ignored'] };
      const pieces = sarifOf(await pagesOf({ c, deps, filter }), { version });
      return answer({ c, deps, filter, format: 'sarif', type: SARIF, pieces });
    });
}

/** A streamed file: pages are read on demand, and no further once the client disconnects. */
async function answer(input: {
  c: Context<ApiEnv>;
  deps: ApiDeps;
  filter: FindingFilter;
  format: 'csv' | 'sarif';
  type: string;
  pieces: AsyncIterable<string>;
}): Promise<Response> {
  const { c, deps, filter, format, type, pieces } = input;
  const now = deps.now();
  setFileHeaders({ c, format, type, now });
  // HEAD asks for the headers alone: nothing leaves, so nothing is audited
  if (c.req.method === 'HEAD') return c.body(null, 200);
  // before the first byte, so that an aborted download is audited too
  await deps.database.stores.events.add([auditEvent(auditedBy(c), exportEvent(format, filter))], now);
  c.header('Transfer-Encoding', 'chunked');
  return c.body(streamOf(pieces), 200);
}

function setFileHeaders(input: { c: Context<ApiEnv>; format: string; type: string; now: Date }): void {
  const { c, format, type, now } = input;
  c.header('Content-Type', type);
  c.header('Content-Disposition', `attachment; filename="secu-findings-${iso(now).slice(0, 10)}.${format}"`);
}

/** The search text is not stored: people paste leaked secrets into it. */
function exportEvent(format: string, { q, integrationId, repositoryId, ...closed }: FindingFilter) {
  return {
    kind: 'export.made' as const,
    text: `Findings were exported as ${format === 'csv' ? 'CSV' : 'SARIF'}.`,
    data: {
      format,
      filters: {
        ...closed,
        ...(integrationId && { integrationId: integrationId.filter((id) => isIdOf('integration', id)) }),
        ...(repositoryId && { repositoryId: repositoryId.filter((id) => isIdOf('repository', id)) }),
        ...(q !== undefined && { searched: true }),
      },
    },
  };
}

interface Source {
  c: Context<ApiEnv>;
  deps: ApiDeps;
  filter: FindingFilter;
}

/** All matches, in pages. The first page is read before the answer starts, so that its errors become a problem answer. */
async function pagesOf(source: Source): Promise<AsyncIterable<ExportedFinding[]>> {
  return pagesFrom(await readPage(source, null), source);
}

/** Sorted by id, so that changes meanwhile neither skip nor repeat a finding. */
function readPage({ deps, filter }: Source, afterId: string | null): Promise<FindingView[]> {
  return deps.database.stores.findingViews.byId({ filter, afterId, limit: PER_READ });
}

async function* pagesFrom(first: FindingView[], source: Source): AsyncGenerator<ExportedFinding[]> {
  const { c, deps } = source;
  const { requestId, principal } = c.var;
  let page = first;
  try {
    for (;;) {
      if (page.length > 0) yield page.map(exported);
      if (page.length < PER_READ) return;
      if (!(await isStillAllowed(deps, principal)))
        throw new SecuError('unauthenticated', 'the key or session is no longer valid');
      page = await readPage(source, page.at(-1)?.id ?? null);
    }
  } catch (err) {
    deps.log.warn({ err, requestId }, 'an export was interrupted');
    // abort the connection, so that a partial file is not taken for a complete one
    throw new Error('an export was interrupted');
  }
}

function exported(view: FindingView): ExportedFinding {
  return { ...presentFinding(view), repositoryUrl: repositoryWebUrl(view), pathUri: encodedPath(view.path) };
}

function streamOf(pieces: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await iterator.next();
        if (piece.done === true) controller.close();
        else controller.enqueue(encoder.encode(piece.value));
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
