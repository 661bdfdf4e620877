import { SecuError } from '../../domain/errors.ts';
import type { ThrottleRule } from '../../domain/user.ts';
import { ACCOUNT_THROTTLE, ADDRESS_THROTTLE } from '../../domain/user.ts';
import type { ApiDeps } from '../deps.ts';
import { throttledNetwork } from '../middleware/client-address.ts';

/** A counted sign-in attempt. */
export interface CountedTry {
  /** Call on success: removes this attempt from the address count and resets the account count. */
  succeeded(): Promise<void>;
}

/**
 * Counts an attempt against the address, and against the named account, whether it exists or not.
 * @throws SecuError `too_many_requests` with `retryAfterSeconds`
 */
export async function countTry(
  deps: Pick<ApiDeps, 'database' | 'hashName' | 'now'>,
  { address, username }: { address: string; username: string | null },
): Promise<CountedTry> {
  const { signInTries } = deps.database.stores;
  const now = deps.now();
  const ofAddress = addressSubject(address);
  const ofAccount = username === null ? null : accountSubject(deps, username);
  const take = async (subject: string, rule: ThrottleRule) => {
    const until = await signInTries.begin({ subject, rule, now });
    if (until !== null) throw tooManyAttempts(until, now);
  };
  await take(ofAddress, ADDRESS_THROTTLE);
  if (ofAccount !== null) await take(ofAccount, ACCOUNT_THROTTLE);
  return {
    async succeeded() {
      await signInTries.takeBack(ofAddress);
      if (ofAccount !== null) await signInTries.forget(ofAccount);
    },
  };
}

/** The key of an account's counter: a hash, because people type passwords into the user name field. */
export function accountSubject({ hashName }: Pick<ApiDeps, 'hashName'>, username: string): string {
  return `account:${hashName(username.toLowerCase())}`;
}

function addressSubject(address: string): string {
  return `address:${throttledNetwork(address)}`;
}

export function tooManyAttempts(until: Date, now: Date): SecuError {
  const retryAfterSeconds = Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1_000));
  return new SecuError('too_many_requests', `too many attempts; try again in ${retryAfterSeconds} s`, {
    details: { retryAfterSeconds },
  });
}
