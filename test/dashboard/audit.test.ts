import { expect, test } from '@jest/globals';
import { AREAS, auditKinds, textField } from '../../dashboard/src/pages/settings/audit/kinds.ts';
import { EVENT_KINDS, isAuditKind } from '../../src/domain/event.ts';

test('the areas cover every kind of audit event and nothing else', () => {
  expect(auditKinds([]).toSorted()).toEqual(EVENT_KINDS.filter(isAuditKind).toSorted());
  expect(auditKinds(AREAS)).toEqual(auditKinds([]));
  expect(auditKinds(['export'])).toEqual(['export.made']);
});

test('event data that is not a string is not shown', () => {
  expect(textField({ address: '127.0.0.1' }, 'address')).toBe('127.0.0.1');
  expect(textField({ address: 7 }, 'address')).toBeNull();
  expect(textField({}, 'address')).toBeNull();
});
