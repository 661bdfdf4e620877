import { expect, test } from '@jest/globals';
import { stepped } from '../../dashboard/src/keyboard/row-cursor.ts';
import { firstPageOf, MAX_PAGES, PAGE_SIZE, rowsOf } from '../../dashboard/src/lists/list-pages.ts';

test('what two pages name is one row, in its newer form and at its first place', () => {
  const pages = [{ items: [{ id: 'a' }, { id: 'b', n: 1 }] }, { items: [{ id: 'b', n: 2 }, { id: 'c' }] }];
  expect(rowsOf({ pages })).toEqual([{ id: 'a' }, { id: 'b', n: 2 }, { id: 'c' }]);
  expect(rowsOf(undefined)).toEqual([]);
});

test('a list that is asked for anew keeps its first page alone, and no list passes ten thousand rows', () => {
  expect(firstPageOf({ pages: [1, 2, 3], pageParams: [null, 'x', 'y'] })).toEqual({
    pages: [1],
    pageParams: [null],
  });
  expect(PAGE_SIZE * MAX_PAGES).toBe(10_000);
});

test('the mark goes row by row, begins at the first and stays inside the list', () => {
  const ids = ['a', 'b', 'c'];
  expect(stepped(ids, null, 1)).toBe('a');
  expect(stepped(ids, null, -1)).toBe('a');
  expect(stepped(ids, 'a', 1)).toBe('b');
  expect(stepped(ids, 'c', 1)).toBe('c');
  expect(stepped(ids, 'a', -1)).toBe('a');
  expect(stepped(ids, 'gone', 1)).toBe('a');
  expect(stepped([], 'a', 1)).toBeNull();
});
