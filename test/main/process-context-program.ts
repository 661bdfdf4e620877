import { randomBytes } from 'node:crypto';
import { readConfig } from '../../src/config/config.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { Secret } from '../../src/domain/secret.ts';
import { openProcessContext } from '../../src/main/process-context.ts';

/**
 * A Secu process that handles a token without a known format and then logs it by mistake. The first start seals the token
 * and prints the record; with a record as argument, the second start opens it.
 */
const config = readConfig(readEnvironment(), { isRoot: false });
const processContext = await openProcessContext({ config, role: 'test', poolMax: 2 });
const context = { table: 'credential', rowId: 'crd_test', version: 1 };
const [keyId, record] = process.argv.slice(2);
if (keyId === undefined || record === undefined) {
  const secret = new Secret(randomBytes(20).toString('hex'));
  const sealed = processContext.vault.seal({ context, secret });
  processContext.log.error({ secret: secret.reveal() }, `git said ${secret.reveal()}`);
  process.stdout.write(`SEALED ${sealed.keyId} ${sealed.record.toString('base64')} ${secret.reveal()}\n`);
} else {
  const sealed = { keyId, record: Buffer.from(record, 'base64') };
  const token = processContext.vault.unseal({ context, sealed }).reveal();
  const basic = Buffer.from(`oauth2:${token}`).toString('base64');
  processContext.log.error({ header: basic, path: [token] }, `git said ${token}`);
}
await processContext.close();
