import { expect, test } from '@jest/globals';
import { temporalLink } from '../../dashboard/src/format/temporal-link.ts';

const about = { temporalUi: 'http://127.0.0.1:8233/', namespace: 'a/b' };

test('links to a workflow escape its namespace and id', () => {
  expect(temporalLink(about, 'integration:int_1')).toBe(
    'http://127.0.0.1:8233/namespaces/a%2Fb/workflows/integration%3Aint_1',
  );
});

test('there is no link without a UI address or with one that is not http', () => {
  expect(temporalLink(undefined, 'x')).toBeNull();
  expect(temporalLink({ ...about, temporalUi: null }, 'x')).toBeNull();
  expect(temporalLink({ ...about, temporalUi: 'javascript:alert(1)' }, 'x')).toBeNull();
});
