import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config/config.ts';
import { outboundPolicyOf } from '../../src/main/process-context.ts';

test('the configured proxy is used, with its password', async () => {
  const proxy = ['http://user', 'word@proxy.example.com:3128'].join(':pass');
  const env = { SECU_PROXY_URL: proxy, SECU_NO_PROXY: 'near.example.com' };
  const policy = outboundPolicyOf(readConfig(env, { isRoot: false }));
  try {
    expect(policy.proxyFor(new URL('https://gitlab.com'))).toBe(proxy);
    expect(policy.proxyFor(new URL('https://near.example.com'))).toBeNull();
  } finally {
    await policy.close();
  }
});
