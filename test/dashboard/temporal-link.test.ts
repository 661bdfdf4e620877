import { expect, test } from '@jest/globals';
import { temporalLink } from '../../dashboard/src/format/temporal-link.ts';

const about = { temporalUi: 'http://127.0.0.1:8233/', namespace: 'a/b' };

test('a workflow is found at the page of its namespace, whatever its id holds', () => {
  expect(temporalLink(about, 'integration:int_1')).toBe(
    'http://127.0.0.1:8233/namespaces/a%2Fb/workflows/integration%3Aint_1',
  );
});

test('there is no link where the pages are not known, or lead elsewhere than to the web', () => {
  expect(temporalLink(undefined, 'x')).toBeNull();
  expect(temporalLink({ ...about, temporalUi: null }, 'x')).toBeNull();
  expect(temporalLink({ ...about, temporalUi: 'javascript:alert(1)' }, 'x')).toBeNull();
});
