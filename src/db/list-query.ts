import { SecuError } from '../domain/errors.ts';
import type { Page } from './rows.ts';
import { decodeCursor, pageOf } from './rows.ts';
import type { Sql } from './sql.ts';

/** A condition with `?` for each parameter; numbered when the statement is assembled. */
export interface Condition {
  text: string;
  params: readonly unknown[];
}

export interface SortColumn {
  /** An SQL expression that is never null. */
  expression: string;
  cast: string;
}

/** Parameters of every list. `sort` is a column key, with a leading `-` for descending. */
export interface ListInput {
  limit: number;
  cursor: string | null;
  sort?: string | undefined;
}

/**
 * A keyset list: conditions, one sort column, and the id as a tie-breaker. Every page has the same cost.
 * @throws SecuError `invalid_request` for a cursor or sort of another list
 */
export async function listPage<Row extends { id: string; sort_value: string }, T>(input: {
  sql: Sql;
  select: string;
  conditions: readonly Condition[];
  columns: Record<string, SortColumn>;
  defaultSort: string;
  idColumn: string;
  list: ListInput;
  item: (row: Row) => T;
}): Promise<Page<T>> {
  const sortName = input.list.sort ?? input.defaultSort;
  const descending = sortName.startsWith('-');
  const field = sortName.replace(/^-/, '');
  const column = Object.hasOwn(input.columns, field) ? input.columns[field] : undefined;
  if (column === undefined) {
    throw new SecuError(
      'invalid_request',
      `sort: use one of ${Object.keys(input.columns).join(', ')}, with "-" before it for descending`,
    );
  }
  const conditions = [...input.conditions];
  if (input.list.cursor !== null) {
    const [shape, value, id] = decodeCursor(input.list.cursor) ?? [];
    if (shape !== sortName || typeof value !== 'string' || typeof id !== 'string') {
      throw badCursor();
    }
    conditions.push({
      text: `(${column.expression}, ${input.idColumn}) ${descending ? '<' : '>'} (?::${column.cast}, ?)`,
      params: [value, id],
    });
  }
  const direction = descending ? 'desc' : 'asc';
  const { text, params } = numbered(conditions);
  const statement = [
    input.select.replace('/*sort*/', `, (${column.expression})::text as sort_value`),
    text === '' ? '' : `where ${text}`,
    `order by ${column.expression} ${direction}, ${input.idColumn} ${direction}`,
    `limit ${input.list.limit + 1}`,
  ].join('\n');
  const rows = await input.sql.rows<Row>(statement, params).catch((err: unknown) => {
    throw input.list.cursor !== null && isUnreadableValue(err) ? badCursor() : err;
  });
  return pageOf({
    rows,
    limit: input.list.limit,
    item: input.item,
    cursor: (row) => [sortName, row.sort_value, row.id],
  });
}

function badCursor(): SecuError {
  return new SecuError('invalid_request', 'cursor: not a cursor of this list; start again without it');
}

/** PostgreSQL could not read a value as the type of its column; only cursors hold values that were not checked before. */
function isUnreadableValue(err: unknown): boolean {
  return (
    typeof err === 'object' &&
    err !== null &&
    'code' in err &&
    typeof err.code === 'string' &&
    err.code.startsWith('22')
  );
}

/** Conditions joined by `and`, their `?` numbered `$1`…; used by lists and their summaries alike. */
export function numbered(conditions: readonly Condition[]): { text: string; params: unknown[] } {
  const params: unknown[] = [];
  const text = conditions
    .map((condition) => {
      let index = 0;
      return condition.text.replace(/\?/g, () => {
        params.push(condition.params[index]);
        index += 1;
        return `$${params.length}`;
      });
    })
    .join(' and ');
  return { text, params };
}

/** `column in (…)` for an optional filter. */
export function anyOf(column: string, values: readonly string[] | undefined): Condition[] {
  return values === undefined ? [] : [{ text: `${column} = any(?::text[])`, params: [values] }];
}

/** Case-insensitive "contains" over a column, with the wildcards of LIKE escaped. */
export function contains(column: string, text: string | undefined): Condition[] {
  if (text === undefined) return [];
  return [{ text: `${column} ilike ?`, params: [`%${text.replace(/[\\%_]/g, '\\$&')}%`] }];
}
