import { expect, test } from '@jest/globals';
import { findMatches, groupItems } from '../../dashboard/src/shell/palette-items.ts';

const item = (text: string, group = 'Pages') => ({ id: text, text, group, run: () => {} });

test('finds what holds every word, in any case, and first what begins so', () => {
  const items = ['New integration', 'Integrations', 'Findings'].map((text) => item(text));
  const texts = (query: string) => findMatches(items, query).map(({ text }) => text);
  expect(texts('integ')).toEqual(['Integrations', 'New integration']);
  expect(texts('INTEGRATION new')).toEqual(['New integration']);
  expect(texts('scan')).toEqual([]);
  expect(texts(' ')).toEqual(['New integration', 'Integrations', 'Findings']);
});

test('shows groups in the order in which they appear', () => {
  const groups = groupItems([item('a'), item('b', 'Actions'), item('c')]);
  expect(groups.map(([name, items]) => [name, items.map(({ text }) => text)])).toEqual([
    ['Pages', ['a', 'c']],
    ['Actions', ['b']],
  ]);
});
