import { expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import { createLogger } from '../../src/log/logger.ts';
import { checkScannerIsolation } from '../../src/main/scanner-isolation.ts';

const log = createLogger({ level: 'silent', format: 'json', bindings: {} });

const check = (registry: Registry, isolation: 'none' | 'network_namespace', isRequired: boolean) =>
  checkScannerIsolation({
    isolation: () => Promise.resolve(isolation),
    isRequired,
    isRoot: false,
    registry,
    log,
  });

test.each(['none', 'network_namespace'] as const)(
  'the isolation %s is a metric of the worker',
  async (isolation) => {
    const registry = new Registry();
    await check(registry, isolation, false);
    expect(await registry.metrics()).toContain(`secu_scanner_isolation{isolation="${isolation}"} 1`);
  },
);

test('with SECU_REQUIRE_ISOLATION, a scan worker starts only if scanners can be isolated', async () => {
  await expect(check(new Registry(), 'none', true)).rejects.toMatchObject({ code: 'invalid_settings' });
  await expect(check(new Registry(), 'network_namespace', true)).resolves.toBeUndefined();
});
