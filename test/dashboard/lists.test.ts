import { expect, test } from '@jest/globals';
import { moveCursor } from '../../dashboard/src/keyboard/row-cursor.ts';
import { firstPageOnly, MAX_PAGES, PAGE_SIZE, uniqueRows } from '../../dashboard/src/lists/list-pages.ts';

test('a row on two pages is shown once, at its first position and with its newer values', () => {
  const pages = [{ items: [{ id: 'a' }, { id: 'b', n: 1 }] }, { items: [{ id: 'b', n: 2 }, { id: 'c' }] }];
  expect(uniqueRows({ pages })).toEqual([{ id: 'a' }, { id: 'b', n: 2 }, { id: 'c' }]);
  expect(uniqueRows(undefined)).toEqual([]);
});

test('a restarted list keeps only its first page, and no list exceeds ten thousand rows', () => {
  expect(firstPageOnly({ pages: [1, 2, 3], pageParams: [null, 'x', 'y'] })).toEqual({
    pages: [1],
    pageParams: [null],
  });
  expect(PAGE_SIZE * MAX_PAGES).toBe(10_000);
});

test('the cursor starts at the first row, moves row by row and stays inside the list', () => {
  const ids = ['a', 'b', 'c'];
  expect(moveCursor(ids, null, 1)).toBe('a');
  expect(moveCursor(ids, null, -1)).toBe('a');
  expect(moveCursor(ids, 'a', 1)).toBe('b');
  expect(moveCursor(ids, 'c', 1)).toBe('c');
  expect(moveCursor(ids, 'a', -1)).toBe('a');
  expect(moveCursor(ids, 'gone', 1)).toBe('a');
  expect(moveCursor([], 'a', 1)).toBeNull();
});
