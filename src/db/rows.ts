/** Parses a `timestamptz` of PostgreSQL. */
export function dateOf(text: string): Date {
  return new Date(text);
}

/** The same for a nullable column. */
export function dateOrNull(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** Columns of an entity as plain data. */
export type Row<Entity, Key extends keyof Entity> = {
  [K in Key]-?: undefined extends Entity[K] ? Exclude<Entity[K], undefined> | null : Entity[K];
};

/** MikroORM returns undefined for SQL null; rows have null everywhere. */
export function rowOf<Entity, Key extends keyof Entity>(
  entity: Entity,
  columns: readonly Key[],
): Row<Entity, Key> {
  const values = columns.map((column) => [column, entity[column] ?? null]);
  return Object.fromEntries(values) as Row<Entity, Key>;
}

/** One page of a keyset list; the cursor is opaque to callers. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Cursors hold the sort value and the id of the last row, so that a page costs the same wherever it lies. */
export function encodeCursor(parts: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @returns the parts; `null` for an invalid cursor */
export function decodeCursor(text: string): (string | number | null)[] | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return null;
    return parsed.every((part) => part === null || typeof part === 'string' || typeof part === 'number')
      ? parsed
      : null;
  } catch (err) {
    if (err instanceof SyntaxError) return null;
    throw err;
  }
}

/** Cuts a page from `limit + 1` rows. */
export function pageOf<Row, T>(input: {
  rows: readonly Row[];
  limit: number;
  item: (row: Row) => T;
  cursor: (row: Row) => readonly (string | number | null)[];
}): Page<T> {
  const shown = input.rows.slice(0, input.limit);
  const last = shown.at(-1);
  const more = input.rows.length > input.limit && last !== undefined;
  return { items: shown.map(input.item), nextCursor: more ? encodeCursor(input.cursor(last)) : null };
}
