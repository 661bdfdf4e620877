import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TestCa {
  caPem: string;
  issue(input: { names: string[]; validity?: Validity }): Promise<KeyPair>;
  /** A self-signed certificate. */
  selfSigned(name: string): Promise<KeyPair>;
  remove(): Promise<void>;
}

interface KeyPair {
  key: string;
  cert: string;
}

type Validity = keyof typeof DATES | 'ending';

const run = promisify(execFile);
const DATES = {
  now: ['20200101000000Z', '20991231000000Z'],
  past: ['20200101000000Z', '20210101000000Z'],
  future: ['20980101000000Z', '20991231000000Z'],
} as const;
const EXTENSIONS = ['-config', 'conf', '-extensions', 'root'];

/** A temporary certificate authority, created with `openssl`. */
export async function createTestCa(): Promise<TestCa> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-ca-'));
  await writeFile(join(folder, 'index'), '');
  await writeFile(join(folder, 'index.attr'), 'unique_subject = no\n');
  await writeFile(join(folder, 'conf'), configOf(folder));
  await newKey(folder, 'ca.key');
  const root = ['-subj', '/CN=Secu test root', '-days', '3650', ...EXTENSIONS];
  await openssl(folder, ['req', '-x509', '-new', '-key', 'ca.key', ...root, '-out', 'ca.pem']);
  let issued = 0;
  return {
    caPem: await readFile(join(folder, 'ca.pem'), 'utf8'),
    issue({ names, validity = 'now' }) {
      issued += 1;
      return issueCertificate({ folder, id: `leaf${issued}`, names, validity });
    },
    async selfSigned(name) {
      await newKey(folder, 'own.key');
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', '30'];
      await openssl(folder, ['req', '-x509', '-new', '-key', 'own.key', ...subject, '-out', 'own.pem']);
      return readKeyPair(folder, 'own');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function issueCertificate(input: {
  folder: string;
  id: string;
  names: readonly string[];
  validity: Validity;
}): Promise<KeyPair> {
  const { folder, id, names, validity } = input;
  const [start, end] = validity === 'ending' ? [DATES.now[0], inDays(5)] : DATES[validity];
  const alternatives = names.map((name) => (/^[\d.:]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(',');
  await newKey(folder, `${id}.key`);
  const subject = ['-subj', `/CN=${id}`, '-addext', `subjectAltName=${alternatives}`];
  const request = ['-config', 'conf', '-out', `${id}.csr`];
  await openssl(folder, ['req', '-new', '-key', `${id}.key`, ...subject, ...request]);
  const signer = ['-config', 'conf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
  const dates = ['-startdate', start, '-enddate', end];
  const files = ['-in', `${id}.csr`, '-out', `${id}.pem`];
  await openssl(folder, ['ca', '-batch', ...signer, ...dates, ...files, '-notext']);
  return readKeyPair(folder, id);
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  await run('openssl', args, { cwd: folder });
}

function newKey(folder: string, name: string): Promise<void> {
  return openssl(folder, ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', name]);
}

async function readKeyPair(folder: string, id: string): Promise<KeyPair> {
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return { key: await read(`${id}.key`), cert: await read(`${id}.pem`) };
}

/** Times in the format of `openssl ca`. */
function inDays(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

function configOf(folder: string): string {
  return `[ca]
default_ca = own
[own]
dir = ${folder}
database = $dir/index
new_certs_dir = $dir
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
`;
}
