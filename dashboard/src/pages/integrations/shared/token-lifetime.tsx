import { Text } from '@mantine/core';
import { useNow } from '../../../format/time.ts';
import type { TokenLife } from '../expiry.ts';
import { endWord, expiryWord, isDead, lifeOf } from '../expiry.ts';
import classes from './token-lifetime.module.css';

/** How long a token lives yet: words, and a bar of its whole life where that is known. */
export function Life({ token, cause }: { token: TokenLife; cause: string | null }) {
  const { text, hue } = endWord(token, cause, useNow());
  return (
    <span className={classes['life']}>
      <Text span size="sm" {...(hue !== 'neutral' && { c: hue, fw: 600 })}>
        {text}
      </Text>
      {!isDead(cause) && <LifeBar token={token} />}
    </span>
  );
}

/** What is left of a token's life, in the colour of the threshold that it has reached. */
export function LifeBar({ token, thick = false }: { token: TokenLife; thick?: boolean }) {
  const { hue } = expiryWord(token, useNow());
  const life = lifeOf(token);
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
