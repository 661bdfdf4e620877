import { escapeForeignText } from '../../domain/finding.ts';
import { fieldAt, textAt } from '../commands/print.ts';
import type { DemoApi } from './api.ts';
import type { Expectations } from './simulator.ts';

export interface DemoRepository {
  path: string;
  state: string;
  scan: string;
  expected: number;
  found: number;
  missed: string[];
  invented: string[];
  /** A problem other than findings, for example: not listed but expected, scanned but excluded. */
  problem: string | null;
}

export interface DemoResult {
  ok: boolean;
  expected: number;
  found: number;
  missed: number;
  invented: number;
  repositories: DemoRepository[];
}

/** Compares the findings with the expectations of every recipe. */
export async function compareWithRecipes(input: {
  api: DemoApi;
  integrationId: string;
  expectations: Expectations;
}): Promise<DemoResult> {
  const { api, integrationId, expectations } = input;
  const rows = await api.all(`/repositories?integrationId=${integrationId}`);
  const byPath = new Map(rows.map((row) => [textAt(row, 'fullPath'), row]));
  const repositories: DemoRepository[] = [];
  for (const [path, expectation] of Object.entries(expectations)) {
    repositories.push(await compareRepository({ api, path, expectation, row: byPath.get(path) }));
  }
  for (const path of byPath.keys()) {
    if (!(path in expectations))
      repositories.push({ ...EMPTY_ROW, path, problem: 'listed, but not in any recipe' });
  }
  const sum = (count: (repository: DemoRepository) => number) =>
    repositories.reduce((total, one) => total + count(one), 0);
  const missed = sum((one) => one.missed.length);
  const invented = sum((one) => one.invented.length);
  const ok = missed + invented === 0 && repositories.every((one) => one.problem === null);
  return {
    ok,
    expected: sum((one) => one.expected),
    found: sum((one) => one.found),
    missed,
    invented,
    repositories,
  };
}

const EMPTY_ROW: Omit<DemoRepository, 'path'> = {
  state: '-',
  scan: '-',
  expected: 0,
  found: 0,
  missed: [],
  invented: [],
  problem: null,
};

async function compareRepository(input: {
  api: DemoApi;
  path: string;
  expectation: Expectations[string];
  row: unknown;
}): Promise<DemoRepository> {
  const { api, path, expectation, row } = input;
  if (!expectation.listed)
    return {
      ...EMPTY_ROW,
      path,
      problem: row === undefined ? null : 'listed although the token cannot read it',
    };
  if (row === undefined) return { ...EMPTY_ROW, path, problem: 'not listed' };
  const state = textAt(row, 'state');
  const lastScan = fieldAt(row, 'lastScan');
  const scan = lastScan === null ? 'never' : textAt(lastScan, 'outcome') || textAt(lastScan, 'status');
  if (expectation.excludedBecause !== undefined) {
    const because = fieldAt(row, 'excludedBecause');
    const right = because === expectation.excludedBecause && scan === 'never';
    return {
      ...EMPTY_ROW,
      path,
      state,
      scan,
      problem: right
        ? null
        : `should be excluded as ${expectation.excludedBecause}, but is ${state}, scan ${scan}`,
    };
  }
  const flaws = (expectation.flaws ?? []).filter(({ ruleId }) => ruleId !== undefined);
  const wanted = new Set(
    [...expectation.findings, ...(expectation.historyFindings ?? []), ...flaws].map(
      (one) => `${escapeForeignText(one.path)}:${one.line}`,
    ),
  );
  const allowed = new Set((expectation.mayFind ?? []).map((one) => escapeForeignText(one.path)));
  const found = await openFindingPlaces(api, textAt(row, 'id'));
  const invented = [...found].filter(
    (place) => !wanted.has(place) && !allowed.has(place.slice(0, place.lastIndexOf(':'))),
  );
  const missed = [...wanted].filter((place) => !found.has(place));
  return {
    path,
    state,
    scan,
    expected: wanted.size,
    found: found.size,
    missed,
    invented,
    problem: scanProblem({ clone: expectation.clone ?? 'ok', state, scan }),
  };
}

function scanProblem({ clone, state, scan }: { clone: string; state: string; scan: string }): string | null {
  const right =
    clone === 'refused'
      ? scan === 'failed'
      : clone === 'empty'
        ? state === 'empty' || scan === 'clean'
        : scan === 'clean' || scan === 'findings';
  return right ? null : `state ${state}, scan ${scan}`;
}

async function openFindingPlaces(api: DemoApi, repositoryId: string): Promise<Set<string>> {
  const findings = await api.all(`/findings?repositoryId=${repositoryId}&status=open`);
  return new Set(findings.map((one) => `${textAt(one, 'path')}:${textAt(one, 'startLine')}`));
}
