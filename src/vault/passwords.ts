import type { BinaryLike, ScryptOptions } from 'node:crypto';
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { SecuError } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import { passwordProblem } from '../domain/user.ts';

/** Cost of scrypt: memory is 128 · 2^logN · r bytes, and time grows with p too. */
export interface PasswordCost {
  logN: number;
  r: number;
  p: number;
}

/** 32 MiB and a quarter of a second. @see OWASP Password Storage Cheat Sheet, scrypt: N=2^15, r=8, p=3 */
export const PASSWORD_COST: PasswordCost = { logN: 15, r: 8, p: 3 };

export interface Passwords {
  /**
   * A hash with its salt and cost, as text: `$scrypt$ln=15,r=8,p=3$salt$hash`.
   * @throws SecuError `invalid_request` for a password that is too weak for this user name
   */
  hash(input: { password: Secret; username: string }): Promise<string>;
  /**
   * Checks a password. For an unknown user the hash is `null`: the result is false, after the same work.
   * `upgraded` is a new hash of the same password, to store when the current hash has another cost.
   * @throws SecuError `too_many_requests` when too many requests wait; `secret_unreadable` for a stored text that
   * is not one of our hashes
   */
  verify(input: {
    password: Secret;
    hash: string | null;
  }): Promise<{ fits: boolean; upgraded: string | null }>;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const CONCURRENCY = 2;
const MAX_WAITING = 40;
const MAX_LOG_N = 20;

const derive: (
  password: BinaryLike,
  salt: BinaryLike,
  length: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(scrypt);

interface Parsed {
  cost: PasswordCost;
  salt: Buffer;
  hash: Buffer;
}

/** Hashes passwords with scrypt, two at a time, because each hash takes memory and a thread of the pool. */
export function createPasswords({ cost = PASSWORD_COST }: { cost?: PasswordCost } = {}): Passwords {
  const queue = pLimit(CONCURRENCY);
  const unknownUser: Parsed = { cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };

  async function derived(password: Secret, { cost: { logN, r, p }, salt }: Omit<Parsed, 'hash'>) {
    if (queue.pendingCount >= MAX_WAITING)
      throw new SecuError('too_many_requests', 'too many people sign in at once; try again in a moment');
    const text = password.reveal().normalize('NFKC');
    const memory = 128 * 2 ** logN * r;
    return queue(() => derive(text, salt, HASH_BYTES, { N: 2 ** logN, r, p, maxmem: 2 * memory }));
  }

  async function newHash(password: Secret): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return format({ cost, salt, hash: await derived(password, { cost, salt }) });
  }

  return {
    async hash({ password, username }) {
      const problem = passwordProblem({ password: password.reveal(), username });
      if (problem !== null) throw refused(problem);
      return newHash(password);
    },
    async verify({ password, hash }) {
      const known = hash === null ? unknownUser : parse(hash);
      const fits = timingSafeEqual(await derived(password, known), known.hash) && hash !== null;
      const outdated = known.cost.logN !== cost.logN || known.cost.r !== cost.r || known.cost.p !== cost.p;
      return { fits, upgraded: fits && outdated ? await newHash(password) : null };
    },
  };
}

function refused(problem: string): SecuError {
  return new SecuError('invalid_request', `password: ${problem}`, {
    details: { errors: [{ path: 'password', message: problem }] },
  });
}

function format({ cost: { logN, r, p }, salt, hash }: Parsed): string {
  return `$scrypt$ln=${logN},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/** @throws SecuError `secret_unreadable` */
function parse(text: string): Parsed {
  const [, ln, r, p, salt = '', hash = ''] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(text) ?? [];
  const parsed = {
    cost: { logN: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
  const readable =
    parsed.cost.logN >= 1 && parsed.cost.logN <= MAX_LOG_N && parsed.hash.length === HASH_BYTES;
  if (!readable) throw new SecuError('secret_unreadable', 'a stored password hash cannot be read');
  return parsed;
}
