import { createHash } from 'node:crypto';

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const ALPHANUMERIC = UPPER + LOWER + DIGITS;
const HEX = '0123456789abcdef';
const BASE32 = `${UPPER}234567`;
const BECH32 = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L';

/** An endless stream of bytes, which is the same on every machine for the same seed. */
function* bytesOf(seed: string): Generator<number> {
  for (let block = 0; ; block += 1) yield* createHash('sha256').update(`${seed}/${block}`).digest();
}

/**
 * Values that look like live credentials but are not. Each value is built at run time, so that no file of ours
 * contains one, and is the same in each run for the same seed.
 */
type Secrets = {
  /** A number of random characters of an alphabet. */
  pick(alphabet: string, length: number): string;
  hex(length: number): string;
  alphanumeric(length: number): string;
  awsKeyId(): string;
  awsSecret(): string;
  githubToken(): string;
  gitlabToken(): string;
  slackBotToken(): string;
  slackWebhook(): string;
  stripeKey(): string;
  gcpKey(): string;
  npmToken(): string;
  jsonWebToken(): string;
  sendgridKey(): string;
  pypiToken(): string;
  digitalOceanToken(): string;
  grafanaToken(): string;
  databricksToken(): string;
  twilioKey(): string;
  shopifyToken(): string;
  ageKey(): string;
  password(): string;
  /** The lines of a PEM file. */
  rsaPrivateKey(): string[];
};

export function createSecrets(seed: string): Secrets {
  const source = bytesOf(seed);
  const nextByte = () => Number(source.next().value);
  const pick = (alphabet: string, length: number) => {
    let text = '';
    while (text.length < length) text += alphabet[nextByte() % alphabet.length] ?? '';
    return text;
  };
  const alphanumeric = (length: number) => pick(ALPHANUMERIC, length);
  const hex = (length: number) => pick(HEX, length);
  const named = (...pieces: string[]) => pieces.join('');
  const json = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    pick,
    hex,
    alphanumeric,
    awsKeyId: () => named('AK', 'IA', pick(BASE32, 16)),
    // No gitleaks rule matches a value that begins with + or /.
    awsSecret: () => alphanumeric(1) + pick(`${ALPHANUMERIC}+/`, 39),
    githubToken: () => named('gh', 'p_', alphanumeric(36)),
    gitlabToken: () => named('gl', 'pat-', alphanumeric(20)),
    slackBotToken: () => named('xo', 'xb-', pick(DIGITS, 12), '-', pick(DIGITS, 12), '-', alphanumeric(24)),
    slackWebhook: () =>
      named(
        'https://hooks.',
        'slack.com/serv',
        `ices/T${pick(UPPER, 8)}/B${pick(UPPER, 8)}/`,
        alphanumeric(24),
      ),
    stripeKey: () => named('sk', '_li', 've_', alphanumeric(24)),
    gcpKey: () => named('AI', 'za', alphanumeric(35)),
    npmToken: () => named('np', 'm_', alphanumeric(36)),
    jsonWebToken: () =>
      named(
        json({ alg: 'HS256', typ: 'JWT' }),
        '.',
        json({ sub: pick(DIGITS, 10), role: 'admin' }),
        '.',
        alphanumeric(43),
      ),
    sendgridKey: () => named('S', 'G.', alphanumeric(22), '.', alphanumeric(43)),
    pypiToken: () => named('py', 'pi-', 'AgEIcHlwaS5vcmc', alphanumeric(90)),
    digitalOceanToken: () => named('do', 'p_v1_', hex(64)),
    grafanaToken: () => named('gl', 'sa_', alphanumeric(32), '_', hex(8)),
    databricksToken: () => named('da', 'pi', hex(32)),
    twilioKey: () => named('S', 'K', hex(32)),
    shopifyToken: () => named('sh', 'pat_', hex(32)),
    ageKey: () => named('AGE-SECRET', '-KEY-1', pick(BECH32, 58)),
    password: () => alphanumeric(20),
    rsaPrivateKey() {
      const kind = named('RSA PRI', 'VATE KEY');
      const body = Array.from({ length: 12 }, () => pick(`${ALPHANUMERIC}+/`, 64));
      return [`-----BEGIN ${kind}-----`, ...body, `-----END ${kind}-----`];
    },
  };
}
