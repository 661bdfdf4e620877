import { Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { capitalize, causeTitle } from '../../../format/labels.ts';
import { useNow } from '../../../format/time.ts';
import { ExternalLink } from '../../../parts/external-link.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import type { Integration } from '../data.ts';
import type { TokenDates } from '../expiry.ts';
import { isUnusable, lifetimeOf, tokenExpiryLabel } from '../expiry.ts';
import { hostOf, OWNER_KIND_TEXTS, rotationText, warningText } from '../labels.ts';
import { SyncState } from '../shared/sync-state.tsx';
import { LifetimeBar } from '../shared/token-lifetime.tsx';
import classes from './facts.module.css';

type Token = NonNullable<Integration['token']>;

/** Facts about the integration and its token; never the token itself. */
export function Facts({ integration }: { integration: Integration }) {
  const { baseUrl, token, lastVerifiedAt, nextVerifyAt, sync, hooks } = integration;
  return (
    <section aria-label="Facts" className={classes['facts']}>
      {token !== null && <LifetimeRow token={token} cause={integration.cause} />}
      <dl className={classes['list']}>
        <Fact name="GitLab">
          <ExternalLink href={baseUrl}>{hostOf(baseUrl)}</ExternalLink>
        </Fact>
        <Fact name="Verified">
          {lastVerifiedAt === null ? 'Not yet' : <TimeAgo at={lastVerifiedAt} />}
          {nextVerifyAt !== null && (
            <Text span size="xs" c="dimmed">
              {' '}
              · next <TimeAgo at={nextVerifyAt} />
            </Text>
          )}
        </Fact>
        <Fact name="Repositories">
          {integration.counts.repositories.toLocaleString('en')}
          <Text span size="xs" c="dimmed">
            {' · '}
            <SyncState sync={sync} />
          </Text>
        </Fact>
        <Fact name="Webhook">
          {hooks.lastAt === null ? 'None received' : <TimeAgo at={hooks.lastAt} />}
          {hooks.state === 'silent' && (
            <Text span size="xs" c="warn">
              {' '}
              · stopped
            </Text>
          )}
        </Fact>
        {token !== null && <TokenFacts token={token} autoRotate={integration.autoRotate} />}
      </dl>
      {token !== null && <Warnings token={token} />}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function LifetimeRow({ token, cause }: { token: TokenDates; cause: string | null }) {
  const { text, hue } = tokenExpiryLabel(token, cause, useNow());
  const lifetime = lifetimeOf(token);
  return (
    <div className={classes['life']}>
      <Text size="sm" fw={600} {...(hue !== 'neutral' && { c: hue })}>
        {text}
      </Text>
      {isUnusable(cause) ? <span /> : <LifetimeBar token={token} thick />}
      <Text size="xs" c="dimmed">
        {lifetime !== null && !isUnusable(cause) && `day ${lifetime.elapsedDays} of ${lifetime.days} · `}
        {token.expiresAt !== null &&
          `${isUnusable(cause) ? 'would have expired' : 'expires'} ${token.expiresAt} 00:00 UTC`}
      </Text>
    </div>
  );
}

function TokenFacts({ token, autoRotate }: { token: Token; autoRotate: Integration['autoRotate'] }) {
  const { owner, scopes, granular, name, gitlabTokenId, lastUsedAt, replacedAt, expiry } = token;
  return (
    <>
      <Fact name="Owner">
        {owner.username ?? 'unknown'}{' '}
        <Text span size="xs" c="dimmed">
          {OWNER_KIND_TEXTS[owner.kind]}
        </Text>
      </Fact>
      <Fact name="Token">
        {name ?? 'unnamed'}
        {gitlabTokenId !== null && (
          <Text span size="xs" c="dimmed">
            {' '}
            id {gitlabTokenId}
          </Text>
        )}
      </Fact>
      <Fact name="Scopes">{granular ? 'fine-grained' : scopes.join(', ')}</Fact>
      <Fact name="Rotation">{rotationText(token, autoRotate)}</Fact>
      {lastUsedAt !== null && (
        <Fact name="Last used (GitLab)">
          <TimeAgo at={lastUsedAt} />
        </Fact>
      )}
      {replacedAt !== null && (
        <Fact name="Replaced">
          <TimeAgo at={replacedAt} />
        </Fact>
      )}
      {expiry.nextFlagAt !== null && (
        <Fact name="Next expiry warning">
          <TimeAgo at={expiry.nextFlagAt} />
        </Fact>
      )}
    </>
  );
}

function Warnings({ token }: { token: Token }) {
  if (token.warnings.length === 0) return null;
  return (
    <ul className={classes['warnings']}>
      {token.warnings.map((warning) => (
        <li key={warning}>
          <IconAlertTriangle size={14} aria-hidden="true" />
          <span>
            <b>{capitalize(causeTitle(warning))}.</b> {warningText(warning, token)}
          </span>
        </li>
      ))}
    </ul>
  );
}
