import { loadavg } from 'node:os';

/** One measured value, with the value of its peer or a limit from the same run. */
export interface Row {
  what: string;
  ours: number;
  unit: string;
  /** The value to compare with, in the same unit. */
  against: { what: string; value: number } | null;
  /** Max ratio `ours / against`; `null` = the value is only reported. */
  maxRatio: number | null;
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

/** Adds a value. Without a limit it is only reported. */
export function add(
  report: Report,
  row: Omit<Row, 'ok' | 'against' | 'maxRatio'> & Partial<Pick<Row, 'against' | 'maxRatio'>>,
): void {
  const { against = null, maxRatio = null } = row;
  const ok = against === null || maxRatio === null || row.ours <= against.value * maxRatio;
  report.rows.push({ ...row, against, maxRatio, ok });
}

export function printReport(report: Report): string {
  const lines = report.rows.map(({ what, ours, unit, against, maxRatio, ok }) => {
    const ratio = against === null || against.value === 0 ? '' : (ours / against.value).toFixed(2);
    return [
      what,
      `${shown(ours)} ${unit}`,
      against === null ? '' : `${shown(against.value)} ${unit} (${against.what})`,
      ratio,
      maxRatio === null ? '' : `≤ ${maxRatio}`,
      maxRatio === null ? '' : ok ? 'ok' : 'EXCEEDED',
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
