import { randomBytes } from 'node:crypto';
import { readConfig } from '../../src/config/config.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { Secret } from '../../src/domain/secret.ts';
import { openProcessContext } from '../../src/main/process-context.ts';

/**
 * A process of Secu in which a token without any shape is handled and then logged by mistake. The first start seals
 * it and prints the record; with a record as argument, a second one opens it.
 */
const config = readConfig(readEnvironment(), { isRoot: false });
const world = await openProcessContext({ config, role: 'test', poolMax: 2 });
const context = { table: 'credential', rowId: 'crd_test', version: 1 };
const [keyId, record] = process.argv.slice(2);
if (keyId === undefined || record === undefined) {
  const secret = new Secret(randomBytes(20).toString('hex'));
  const sealed = world.vault.seal({ context, secret });
  world.log.error({ secret: secret.reveal() }, `git said ${secret.reveal()}`);
  process.stdout.write(`SEALED ${sealed.keyId} ${sealed.record.toString('base64')} ${secret.reveal()}\n`);
} else {
  const sealed = { keyId, record: Buffer.from(record, 'base64') };
  const token = world.vault.unseal({ context, sealed }).reveal();
  const basic = Buffer.from(`oauth2:${token}`).toString('base64');
  world.log.error({ header: basic, path: [token] }, `git said ${token}`);
}
await world.close();
