import { Checkbox, Text } from '@mantine/core';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { ExternalLink } from '../../../parts/external-link.tsx';
import classes from './new-integration.module.css';

/** GitLab's own form for a token, filled in; without an address that of the GitLab that Secu prefers. */
export function tokenLinkQuery({ baseUrl, renew = false }: { baseUrl?: string; renew?: boolean }) {
  return queryOptions({
    queryKey: ['token-link', baseUrl, renew],
    queryFn: () =>
      request(
        api.integrations['token-link'].$get({
          query: { ...(baseUrl !== undefined && { baseUrl }), ...(renew && { renew: 'true' }) },
        }),
      ),
    retry: false,
  });
}

/** The ways to a right token: a form at GitLab that is filled in, and words for an account that is nobody's. */
export function TokenHelp({ baseUrl }: { baseUrl: string }) {
  const [renew, setRenew] = useState(false);
  const link = useQuery({ ...tokenLinkQuery({ baseUrl, renew }), placeholderData: keepPreviousData });
  const url = link.isError ? null : (link.data?.url ?? null);
  return (
    <div className={classes['help']}>
      {url !== null && (
        <>
          <ExternalLink href={url}>Make a token at GitLab (opens a form that is filled in)</ExternalLink>
          <Checkbox
            size="xs"
            label="It may renew itself (adds the scope self_rotate)"
            checked={renew}
            onChange={(event) => setRenew(event.currentTarget.checked)}
          />
        </>
      )}
      <details>
        <summary>For a service account, which outlives people</summary>
        <ol className={classes['steps']}>
          <li>
            At GitLab open the top-level group, <b>Settings › Service accounts</b>, and add one. That takes
            the role Owner.
          </li>
          <li>
            Invite it to each group that Secu is to scan, as Reporter: the least role that may read code.
          </li>
          <li>
            In the same list choose <b>Manage access tokens</b> and make one with <b>read_api</b> and{' '}
            <b>read_repository</b>
            {renew && (
              <>
                {' '}
                and <b>self_rotate</b>
              </>
            )}
            . Copy it: GitLab shows it once.
          </li>
          <li>Paste it here.</li>
        </ol>
        <Text size="xs" c="dimmed">
          GitLab mails nobody when the token of a service account nears its end. Secu does.
        </Text>
      </details>
    </div>
  );
}
