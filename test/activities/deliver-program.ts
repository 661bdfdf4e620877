import { startDeliveryLoop } from '../../src/background/delivery-loop.ts';
import { openDatabase } from '../../src/db/database.ts';
import { createLogger } from '../../src/log/logger.ts';
import { createNotifier } from '../../src/notify/notifier.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';
import { parseKeyRing } from '../../src/vault/key-ring.ts';
import { createVault } from '../../src/vault/vault.ts';

/**
 * Sends deliveries in its own process, which a test can kill. Arguments: `<database url> <lease in ms>`; the key
 * ring is in the environment.
 */
const [databaseUrl = '', leaseMs = ''] = process.argv.slice(2);
const policy = createOutboundPolicy({ origins: [], allowedNetworks: ['127.0.0.0/8'], ownListeners: [] });
startDeliveryLoop({
  database: await openDatabase({ url: databaseUrl, poolMax: 2 }),
  vault: createVault({
    keyRing: parseKeyRing(process.env['KEY_RING'] ?? ''),
    provider: 'forge',
    onSecret: () => {},
  }),
  notifier: createNotifier({
    dispatcherFor: (url) => policy.dispatcherFor(url),
    userAgent: 'Secu/test',
    mail: null,
    now: () => new Date(),
  }),
  log: createLogger({ level: 'silent', format: 'json' }),
  metrics: { delivered: () => {} },
  publicUrl: 'https://secu.example.com',
  leaseMs: Number(leaseMs),
});
