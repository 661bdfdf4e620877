import { Text } from '@mantine/core';
import { useNow } from '../../../format/time.ts';
import type { TokenDates } from '../expiry.ts';
import { expiryLabel, isUnusable, lifetimeOf, tokenExpiryLabel } from '../expiry.ts';
import classes from './token-lifetime.module.css';

/** The remaining time of a token as text, with a bar where its lifetime is known. */
export function TokenLifetime({ token, cause }: { token: TokenDates; cause: string | null }) {
  const { text, hue } = tokenExpiryLabel(token, cause, useNow());
  return (
    <span className={classes['lifetime']}>
      <Text span size="sm" {...(hue !== 'neutral' && { c: hue, fw: 600 })}>
        {text}
      </Text>
      {!isUnusable(cause) && <LifetimeBar token={token} />}
    </span>
  );
}

/** The remaining part of the lifetime, in the colour of the reached threshold. */
export function LifetimeBar({ token, thick = false }: { token: TokenDates; thick?: boolean }) {
  const { hue } = expiryLabel(token, useNow());
  const lifetime = lifetimeOf(token);
  if (lifetime === null) return null;
  const remaining = lifetime.days - lifetime.elapsedDays;
  return (
    <span
      className={classes['bar']}
      data-thick={thick || undefined}
      role="img"
      aria-label={`${remaining} of ${lifetime.days} days left`}
    >
      <span
        className={classes['left']}
        style={{ width: `${(remaining / lifetime.days) * 100}%`, background: `var(--secu-dot-${hue})` }}
      />
    </span>
  );
}
