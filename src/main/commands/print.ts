/** A column of a table: its title, and the path of the field that it shows. */
export type Column = readonly [title: string, path: string];

/** Prints data as JSON, or as a table with these columns. */
export function print(data: unknown, { json, columns }: { json: boolean; columns: readonly Column[] }): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
    return;
  }
  const rows = Array.isArray(data) ? data : [data];
  const cells = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, path]) => textAt(row, path) || '-')),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] ?? '').length)));
  for (const row of cells) {
    process.stdout.write(
      `${row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

/** The field at a path such as `token.expiresAt`. */
export function fieldAt(data: unknown, path: string): unknown {
  let value: unknown = data;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === name)?.[1];
  }
  return value;
}

/** The field as text: empty if it is missing, JSON if it is an object or array. */
export function textAt(data: unknown, path: string): string {
  const value = fieldAt(data, path);
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return value === null || value === undefined ? '' : JSON.stringify(value);
  }
}
