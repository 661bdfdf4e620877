import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { channelPolicyOf, outboundPolicyOf } from '../../src/main/process-context.ts';

const configOf = (env: Environment) => readConfig({ SECU_HOME: '/nowhere', ...env }, { isRoot: false });
const SECU_PROXY_URL = 'http://egress.example.com:3128';

test('GitLab and channels are contacted through the configured proxy, except excluded hosts', async () => {
  const config = configOf({ SECU_PROXY_URL, SECU_NO_PROXY: '.internal' });
  for (const policyOf of [outboundPolicyOf, channelPolicyOf]) {
    const policy = policyOf(config);
    expect(policy.proxyFor(new URL('https://gitlab.com/x'))).toBe(SECU_PROXY_URL);
    expect(policy.proxyFor(new URL('https://hooks.internal/x'))).toBeNull();
    await policy.close();
  }
});

test('channels and GitLab have separate allowed networks, and neither may reach Secu itself', async () => {
  const config = configOf({
    SECU_WEBHOOK_NETWORKS: '10.1.0.0/16,127.0.0.0/8',
    SECU_ALLOWED_NETWORKS: '10.2.0.0/16',
  });
  const [channels, gitlab] = [channelPolicyOf(config), outboundPolicyOf(config)];
  expect(await channels.resolve({ host: '10.1.2.3', port: 80 })).toEqual(['10.1.2.3']);
  expect(await gitlab.resolve({ host: '10.2.2.3', port: 80 })).toEqual(['10.2.2.3']);
  for (const [policy, host, port] of [
    [channels, '10.2.2.3', 80],
    [gitlab, '10.1.2.3', 80],
    [channels, '127.0.0.1', 8080],
  ] as const)
    await expect(policy.resolve({ host, port })).rejects.toMatchObject({ code: 'origin_not_allowed' });
  await Promise.all([channels.close(), gitlab.close()]);
});
