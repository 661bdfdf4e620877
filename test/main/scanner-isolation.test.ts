import { expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import type { Isolation } from '../../src/domain/isolation.ts';
import { createLogger } from '../../src/log/logger.ts';
import { checkScannerIsolation } from '../../src/main/scanner-isolation.ts';

const log = createLogger({ level: 'silent', format: 'json', bindings: {} });
const ISOLATED: Isolation = { level: 'namespaces', reachable: [] };
const NOT_ISOLATED: Isolation = { level: 'none', reachable: ['keys', 'network'] };

const check = (registry: Registry, isolation: Isolation, isRequired: boolean) =>
  checkScannerIsolation({ isolation: () => Promise.resolve(isolation), isRequired, registry, log });

test.each([
  [ISOLATED, 'isolation="namespaces",reachable=""'],
  [NOT_ISOLATED, 'isolation="none",reachable="keys,network"'],
])('the isolation of scanners is a metric of the worker: %j', async (isolation, labels) => {
  const registry = new Registry();
  await check(registry, isolation, false);
  expect(await registry.metrics()).toContain(`secu_scanner_isolation{${labels}} 1`);
});

test('with SECU_REQUIRE_ISOLATION, a scan worker starts only if scanners reach nothing that is protected', async () => {
  await expect(check(new Registry(), NOT_ISOLATED, true)).rejects.toMatchObject({ code: 'invalid_settings' });
  const partly: Isolation = { level: 'uid', reachable: ['other_scans'] };
  await expect(check(new Registry(), partly, true)).rejects.toMatchObject({ code: 'invalid_settings' });
  await expect(check(new Registry(), ISOLATED, true)).resolves.toBeUndefined();
});
