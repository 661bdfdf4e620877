import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { awaitUntil } from '../../harness/await-until.ts';
import { csvRows } from '../../src/api/findings/csv.ts';
import { SecuError } from '../../src/domain/errors.ts';
import { finding, seedIntegration, seedRepositories, seedScan } from '../db/seed.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const HOSTILE_PATH = 'a b/ü?#%/../\u202e"x",\n=1.env';
const FORMULA = '=HYPERLINK("http://evil.example","x")';

let world: TestWorld;
let api: TestApi;
let integrationId: string;
let repositoryId: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

afterAll(async () => {
  await world.close();
});

beforeEach(async () => {
  integrationId = await seedIntegration(world.database);
  const repositoryIds = await seedRepositories(world.database, integrationId, [1, 2]);
  repositoryId = repositoryIds[0] ?? '';
  for (const each of repositoryIds) {
    await seedScan(world.database, {
      integrationId,
      repositoryId: each,
      findings: [
        finding('worst', { severity: 'critical', path: HOSTILE_PATH, endLine: 6 }),
        finding('formula', { author: FORMULA }),
        finding('loose', { severity: 'low', kind: 'config', scanner: 'ast-grep', ruleId: 'loose', cwe: [] }),
      ],
    });
  }
});

const mine = (more = '') => `integrationId=${integrationId}${more}`;
const idsOfList = async (more = ''): Promise<string[]> =>
  (await api.call(`GET findings?${mine(more)}&limit=200`)).body.items.map(({ id }: { id: string }) => id);

/** The rows of a text of RFC 4180, read a character at a time. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quoted && char === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (char === '"') quoted = !quoted;
    else if (quoted) cell += char;
    else if (char === ',') {
      row.push(cell);
      cell = '';
    } else if (char === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell]);
      row = [];
      cell = '';
      at += 1;
    } else cell += char;
  }
  expect([quoted, row, cell]).toEqual([false, [], '']);
  return rows;
}

/** Reading as text drops the byte-order mark, unless the text was decoded with it. */
function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, '');
}

async function csv(more = ''): Promise<Record<string, string>[]> {
  const { text } = await api.call(`GET findings.csv?${mine(more)}`, { as: 'viewer' });
  const [head = [], ...rows] = rowsOf(withoutMark(text));
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
}

async function sarif(more = '') {
  const { text } = await api.call(`GET findings.sarif?${mine(more)}`, { as: 'viewer' });
  const document = JSON.parse(text);
  return { document, run: document.runs[0], results: document.runs[0].results };
}

async function ignoreWorst(comment = 'seen, "twice"') {
  const json = {
    filter: { integrationId, severity: 'critical' },
    status: 'ignored',
    triage: { reason: 'accepted_risk', comment },
  };
  expect((await api.call('POST findings/triage', { json })).body).toEqual({ changed: 2 });
}

describe.each(['csv', 'sarif'])('HEAD of %s', (format) => {
  test('has the headers of the file and leaves no event', async () => {
    const exports = async () => (await api.call('GET events?kind=export.made')).body.items.length;
    const before = await exports();
    const answer = await api.call(`HEAD findings.${format}`, { as: 'viewer' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers.get('Content-Disposition')).toContain(`.${format}"`);
    expect(await exports()).toBe(before);
  });
});

describe('as CSV', () => {
  test('starts with a byte-order mark, which spreadsheets need to read UTF-8', async () => {
    const response = await fetch(`${api.url}/api/v1/findings.csv`, {
      headers: { Authorization: `Bearer ${api.keys.viewer}` },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 6).toString('hex')).toBe(`efbbbf${Buffer.from('id,').toString('hex')}`);
  });

  test('is a dated file with a header row that any parser reads', async () => {
    const answer = await api.call(`GET findings.csv?${mine('&kind=config')}`, { as: 'viewer' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(answer.headers.get('Content-Disposition')).toMatch(
      /^attachment; filename="secu-findings-\d{4}-\d\d-\d\d\.csv"$/,
    );
    expect(rowsOf(withoutMark(answer.text))[0]).toEqual(
      (
        'id,repository,kind,severity,status,title,scanner,rule,cwe,path,line,commit,author,committed_at,' +
        'first_seen_at,last_seen_at,triage_reason,triage_comment,permalink,fingerprint'
      ).split(','),
    );
    expect((await csv('&kind=config'))[0]).toMatchObject({
      repository: 'acme/project-1',
      scanner: 'ast-grep',
      rule: 'loose',
      cwe: '',
      line: '4',
      committed_at: '2026-01-01T00:00:00.000Z',
      triage_reason: '',
      fingerprint: 'v1:loose',
    });
  });

  test('contains no formula, and foreign text is escaped', async () => {
    const rows = await csv();
    expect(rows.map(({ author }) => author)).toContain(`'${FORMULA}`);
    expect(rows.map(({ path }) => path)).toContain('a b/ü?#%/../\\u202e"x",\\u000a=1.env');
  });

  test('contains the triage comment unchanged', async () => {
    await ignoreWorst('one,\ntwo "three"');
    expect((await csv('&status=ignored'))[0]).toMatchObject({
      status: 'ignored',
      triage_reason: 'accepted_risk',
      triage_comment: 'one,\ntwo "three"',
    });
  });

  test('a parser reads every cell back, except for the quote before a formula', () => {
    const tricky = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '=', '+', '-', '@', '\t', '＝', "'", 'a') }),
    );
    fc.assert(
      fc.property(fc.array(tricky, { minLength: 1 }), (cells) => {
        const [read = []] = rowsOf(csvRows([cells]));
        expect(read).toHaveLength(cells.length);
        for (const [index, cell] of cells.entries()) {
          const isFormula = '=+-@\t\r＝＋－＠'.includes(cell.charAt(0)) && cell !== '';
          expect(read[index]).toBe(isFormula ? `'${cell}` : cell);
        }
      }),
    );
  });
});

describe('as SARIF', () => {
  test('exports fixed findings only when asked for, as absent', async () => {
    const { results } = await sarif();
    const [first] = results;
    const id: string = first.properties.id;
    await world.db.query(`update finding set status = 'fixed' where id = $1`, [id]);
    const open = (await sarif()).results;
    expect(open.map(({ properties }: { properties: { id: string } }) => properties.id)).not.toContain(id);
    expect(new Set(open.map((result: { baselineState: string }) => result.baselineState))).toEqual(
      new Set(['unchanged']),
    );
    const fixed = (await sarif('&status=fixed')).results;
    expect(fixed).toMatchObject([{ baselineState: 'absent', properties: { id, status: 'fixed' } }]);
    await world.db.query(`update finding set status = 'open' where id = $1`, [id]);
  });

  test('names the base address of each repository', async () => {
    const { run, results } = await sarif();
    for (const { locations } of results) {
      const { uriBaseId } = locations[0].physicalLocation.artifactLocation;
      expect(run.originalUriBaseIds[uriBaseId].uri).toMatch(/^https?:\/\/.*\/$/);
    }
  });

  test('is one run with rules, levels, locations and fingerprints', async () => {
    const answer = await api.call(`GET findings.sarif?${mine()}`, { as: 'viewer' });
    expect(answer.headers.get('Content-Type')).toBe('application/sarif+json');
    expect(answer.headers.get('Content-Disposition')).toMatch(/^attachment; .*\.sarif"$/);
    const { document, run, results } = await sarif();
    expect(document).toMatchObject({ version: '2.1.0', $schema: expect.stringContaining('sarif-2.1.0') });
    expect(document.runs).toHaveLength(1);
    expect(run.tool.driver).toMatchObject({ name: 'Secu', version: '0.0.0-test' });
    expect(results).toHaveLength(6);
    for (const result of results) expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
    const rules = Object.fromEntries(run.tool.driver.rules.map((rule: { id: string }) => [rule.id, rule]));
    // seen as high and as critical: the worst speaks
    expect(rules['gitleaks/generic-api-key'].properties).toEqual({
      'security-severity': '9.5',
      tags: ['security', 'external/cwe/cwe-798'],
    });
    expect(rules['ast-grep/loose']).toMatchObject({ defaultConfiguration: { level: 'note' } });
    const levels = results.map((result: { level: string }) => result.level).sort();
    expect(levels).toEqual(['error', 'error', 'error', 'error', 'note', 'note']);
  });

  test('a hostile path stays one relative URI, and each repository has its own base', async () => {
    const { run, results } = await sarif(`&severity=critical&repositoryId=${repositoryId}`);
    expect(results).toHaveLength(1);
    expect(results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: {
        uri: 'a%20b/%C3%BC%3F%23%25/../%E2%80%AE%22x%22%2C%0A%3D1.env',
        uriBaseId: repositoryId,
      },
      region: { startLine: 4, endLine: 6 },
    });
    expect(results[0].partialFingerprints).toEqual({ 'secuFingerprint/v1': 'v1:worst' });
    expect(results[0].properties).toMatchObject({ repository: 'acme/project-1', excerpt: 'KEY=****' });
    expect(run.versionControlProvenance).toEqual([
      {
        repositoryUri: 'https://gitlab.example.com/acme/project-1',
        mappedTo: { uriBaseId: repositoryId },
      },
    ]);
  });

  test('only ignored findings are suppressed, with their reason', async () => {
    await ignoreWorst();
    for (const { properties, suppressions } of (await sarif()).results) {
      const justification = 'accepted_risk: seen, "twice"';
      const expected =
        properties.severity === 'critical' ? [{ kind: 'external', status: 'accepted', justification }] : [];
      expect(suppressions).toEqual(expected);
    }
  });

  test('is a complete document when there are no findings', async () => {
    const { run, results } = await sarif('&q=nothing-has-this-name');
    expect([results, run.tool.driver.rules, run.versionControlProvenance]).toEqual([[], [], []]);
  });
});

test.each([
  '',
  '&severity=critical,low',
  '&kind=config&status=open',
  '&status=ignored',
  '&q=LOOSE',
  '&q=project-2',
])('both formats contain what the list shows: %s', async (more) => {
  await ignoreWorst();
  const listed = (await idsOfList(more)).sort();
  expect(listed.length).toBeGreaterThan(0);
  expect((await csv(more)).map(({ id }) => id)).toEqual(listed);
  const { results } = await sarif(more);
  expect(results.map(({ properties }: { properties: { id: string } }) => properties.id)).toEqual(listed);
});

test.each(['csv', 'sarif'])('%s: requires authentication and refuses unknown filters', async (format) => {
  expect((await api.call(`GET findings.${format}`, { as: null })).status).toBe(401);
  for (const query of ['limit=5', 'sort=path', 'severity=worst', 'repo=x'])
    expect((await api.call(`GET findings.${format}?${query}`)).status).toBe(400);
});

test('an export is an audit event without the search text', async () => {
  await api.call(`GET findings.csv?${mine('&severity=high&q=glpat-pasted')}`, { as: 'viewer' });
  const [event] = (await api.call('GET events?kind=export.made&limit=1')).body.items;
  expect(event).toMatchObject({ actor: 'key:the viewer', text: 'Findings were exported as CSV.' });
  expect(event.data).toEqual({
    format: 'csv',
    filters: { severity: ['high'], integrationId: [integrationId], searched: true },
    requestId: expect.any(String),
    address: '127.0.0.1',
  });
  expect((await api.call('GET events?kind=export.made', { as: 'viewer' })).body.items).toEqual([]);
});

describe('of many findings', () => {
  const MANY = 1_203;

  beforeEach(async () => {
    const findings = Array.from({ length: MANY }, (_, index) => finding(`many-${index}`));
    await seedScan(world.database, { integrationId, repositoryId, findings });
  });

  test('contains every finding once, across page boundaries', async () => {
    const rows = await csv('&status=open&q=many-');
    expect(new Set(rows.map(({ fingerprint }) => fingerprint)).size).toBe(MANY);
    expect(rows).toHaveLength(MANY);
    expect((await sarif('&status=open&q=many-')).results).toHaveLength(MANY);
  });

  /** The store, counting what is read; `before` may fail a read. */
  async function startCounting(before: (reads: number) => Promise<void> = async () => {}) {
    const { database } = world;
    const { findingViews } = database.stores;
    let reads = 0;
    const counting: typeof findingViews = {
      ...findingViews,
      async byId(input) {
        reads += 1;
        await before(reads);
        return findingViews.byId(input);
      },
    };
    const stores = { ...database.stores, findingViews: counting };
    const other = await startApi(world, { database: { ...database, stores } });
    return { other, reads: () => reads };
  }

  test('stops reading when the client disconnects', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { other, reads } = await startCounting(async (n) => (n === 2 ? held : undefined));
    const aborter = new AbortController();
    const response = await fetch(`${other.url}/api/v1/findings.csv?${mine()}`, {
      headers: { Authorization: `Bearer ${other.keys.viewer}` },
      signal: aborter.signal,
    });
    await response.body?.getReader().read();
    await awaitUntil(async () => reads() === 2);
    aborter.abort();
    await new Promise((resolve) => setTimeout(resolve, 200));
    release();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(reads()).toBe(2);
  });

  test.each(['csv', 'sarif'])(
    '%s: an interrupted export breaks the connection, so that no client considers it complete',
    async (format) => {
      const { other } = await startCounting(async (n) => {
        if (n === 2) throw new Error('the database is away');
      });
      await expect(other.call(`GET findings.${format}?${mine()}`)).rejects.toThrow();
    },
  );

  test('answers a problem instead of a file when the first page fails', async () => {
    const { other } = await startCounting(async () => {
      throw new SecuError('database_unavailable', 'the database is away');
    });
    const answer = await other.call(`GET findings.csv?${mine()}`);
    expect([answer.status, answer.headers.get('Content-Disposition')]).toEqual([503, null]);
    expect(answer.body).toMatchObject({ code: 'database_unavailable' });
  });

  test('stops when the key is deleted meanwhile', async () => {
    const { other } = await startCounting(async (n) => {
      if (n === 1) await world.db.query(`delete from api_key where name = 'the operator'`);
    });
    await expect(other.call(`GET findings.csv?${mine()}`, { as: 'operator' })).rejects.toThrow();
  });
});
