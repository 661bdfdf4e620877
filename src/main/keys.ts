import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import type { Secret } from '../domain/secret.ts';
import { ensureKeyFile } from '../vault/key-file.ts';
import { assertKeysKnown, parseKeyRing } from '../vault/key-ring.ts';
import type { CipherProvider, DataKey, Vault } from '../vault/vault.ts';
import { createVault } from '../vault/vault.ts';

/** The key ring file of an installation without SECU_KEYS. */
export function keyFileOf(home: string): string {
  return join(home, 'keys', 'ring');
}

const PROVIDER: CipherProvider = 'forge';

/**
 * Opens the vault of this installation. Checks that the key ring contains every key that stored data needs.
 * @throws SecuError `key_unknown` | `invalid_settings`
 */
export async function openVault({
  config,
  database,
  onSecret,
}: {
  config: Config;
  database: Database;
  onSecret: (secret: Secret) => void;
}): Promise<Vault> {
  const keyIdsInUse = await database.stores.keys.idsInUse();
  const text =
    config.vault.keyRing?.value() ??
    (await ensureKeyFile({ path: keyFileOf(config.home), sealedDataExists: keyIdsInUse.length > 0 }));
  const keyRing = parseKeyRing(text);
  assertKeysKnown({ keyRing, keyIdsInUse });
  const vault = createVault({ keyRing, provider: PROVIDER, onSecret });
  const checks = new Map((await database.stores.keys.checks()).map(({ keyId, sealed }) => [keyId, sealed]));
  for (const keyId of keyRing.keyIds) {
    const check = checks.get(keyId);
    if (check === undefined) {
      await database.stores.keys.addCheck({ keyId, sealed: vault.createKeyCheck(keyId), now: new Date() });
    } else vault.verifyKeyCheck({ keyId, check });
  }
  return vault;
}

/** Opens a data key for keyed hashes. It is created once, sealed in the database, and never changes. */
export async function openDataKey(input: {
  vault: Vault;
  database: Database;
  name: 'token' | 'body' | 'fingerprint';
}): Promise<DataKey> {
  const { vault, database, name } = input;
  for (;;) {
    const row = await database.stores.keys.dataKey(name);
    if (row !== null) return vault.openDataKey({ name, sealed: { keyId: row.keyId, record: row.sealed } });
    const { keyId, record } = vault.sealDataKey({ name, dataKey: vault.newDataKey() });
    await database.stores.keys.addDataKey({ purpose: name, sealed: record, keyId, now: new Date() });
  }
}
