import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import forge from 'node-forge';

import { cloneUrl, git } from './scan.ts';
import { startSimulator } from './start.ts';

/** A self-signed certificate, like that of an instance with a private CA. */
function selfSigned(notAfter: Date): { key: string; cert: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const forgeKey = forge.pki.privateKeyFromPem(key);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date('2020-01-01T00:00:00Z');
  certificate.validity.notAfter = notAfter;
  const name = [{ name: 'commonName', value: 'simulated GitLab' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
  ]);
  certificate.sign(forgeKey, forge.md.sha256.create());
  return { key, cert: forge.pki.certificateToPem(certificate) };
}

test('an instance with a private CA is reached only by clients that trust the CA', async () => {
  const tls = selfSigned(new Date('2045-01-01T00:00:00Z'));
  const { simulator, home, stop } = await startSimulator({ tls });
  try {
    expect(simulator.url).toMatch(/^https:/);
    const { token } = simulator.control.createToken({});
    const url = cloneUrl({ url: simulator.url, path: 'acme/shop', token });
    const ca = join(home, 'ca.pem');
    await writeFile(ca, tls.cert);
    expect(await git({ home, args: ['-c', `http.sslCAInfo=${ca}`, 'ls-remote', url, 'HEAD'] })).toContain(
      'HEAD',
    );
    await expect(git({ home, args: ['ls-remote', url] })).rejects.toThrow('certificate');
  } finally {
    await stop();
  }
});

test('an instance can have an expired certificate', async () => {
  const tls = selfSigned(new Date('2021-01-01T00:00:00Z'));
  const { simulator, stop } = await startSimulator({ tls });
  try {
    await expect(once(get(simulator.url, { ca: tls.cert }), 'response')).rejects.toMatchObject({
      code: 'CERT_HAS_EXPIRED',
    });
  } finally {
    await stop();
  }
});
