import { loadavg } from 'node:os';

/** One figure beside its peer or limit, measured in the same run. */
export interface Row {
  what: string;
  ours: number;
  unit: string;
  /** What it is held against, in the same unit. */
  against: { what: string; value: number } | null;
  /** `ours / against` may be this at most; `null` = only told. */
  mostRatio: number | null;
  ok: boolean;
}

export interface Report {
  name: string;
  at: string;
  node: string;
  loadBefore: number;
  rows: Row[];
}

export function newReport(name: string): Report {
  return {
    name,
    at: new Date().toISOString(),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
    rows: [],
  };
}

/** Adds a figure. Without a limit it is only told. */
export function add(
  report: Report,
  row: Omit<Row, 'ok' | 'against' | 'mostRatio'> & Partial<Pick<Row, 'against' | 'mostRatio'>>,
): void {
  const { against = null, mostRatio = null } = row;
  const ok = against === null || mostRatio === null || row.ours <= against.value * mostRatio;
  report.rows.push({ ...row, against, mostRatio, ok });
}

export function printReport(report: Report): string {
  const lines = report.rows.map(({ what, ours, unit, against, mostRatio, ok }) => {
    const ratio = against === null || against.value === 0 ? '' : (ours / against.value).toFixed(2);
    return [
      what,
      `${shown(ours)} ${unit}`,
      against === null ? '' : `${shown(against.value)} ${unit} (${against.what})`,
      ratio,
      mostRatio === null ? '' : `≤ ${mostRatio}`,
      mostRatio === null ? '' : ok ? 'ok' : 'PASSED',
    ];
  });
  const table = [['what', 'Secu', 'against', 'ratio', 'limit', ''], ...lines];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function shown(value: number): string {
  return Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(2);
}
