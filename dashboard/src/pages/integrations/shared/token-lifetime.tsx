import { Text } from '@mantine/core';
import { useNow } from '../../../format/time.ts';
import type { TokenDates } from '../expiry.ts';
import { expiryLabel, isUnusable, lifetimeOf, tokenExpiryLabel } from '../expiry.ts';
import classes from './token-lifetime.module.css';

/** How long a token lives yet: words, and a bar of its whole life where that is known. */
export function TokenLifetime({ token, cause }: { token: TokenDates; cause: string | null }) {
  const { text, hue } = tokenExpiryLabel(token, cause, useNow());
  return (
    <span className={classes['life']}>
      <Text span size="sm" {...(hue !== 'neutral' && { c: hue, fw: 600 })}>
        {text}
      </Text>
      {!isUnusable(cause) && <LifetimeBar token={token} />}
    </span>
  );
}

/** What is left of a token's life, in the colour of the threshold that it has reached. */
export function LifetimeBar({ token, thick = false }: { token: TokenDates; thick?: boolean }) {
  const { hue } = expiryLabel(token, useNow());
  const life = lifetimeOf(token);
  if (life === null) return null;
  const left = life.days - life.goneDays;
  return (
    <span
      className={classes['bar']}
      data-thick={thick || undefined}
      role="img"
      aria-label={`${left} of ${life.days} days left`}
    >
      <span
        className={classes['left']}
        style={{ width: `${(left / life.days) * 100}%`, background: `var(--secu-dot-${hue})` }}
      />
    </span>
  );
}
