import { Checkbox, Text } from '@mantine/core';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { ExternalLink } from '../../../parts/external-link.tsx';
import classes from './new-integration.module.css';

/** Link to GitLab's prefilled token form; without `baseUrl`, at the default GitLab. */
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

/** How to create a token: a link to GitLab's prefilled form, and steps for a service account. */
export function TokenHelp({ baseUrl }: { baseUrl: string }) {
  const [renew, setRenew] = useState(false);
  const link = useQuery({ ...tokenLinkQuery({ baseUrl, renew }), placeholderData: keepPreviousData });
  const url = link.isError ? null : (link.data?.url ?? null);
  return (
    <div className={classes['help']}>
      {url !== null && (
        <>
          <ExternalLink href={url}>Create a token in GitLab (opens a prefilled form)</ExternalLink>
          <Checkbox
            size="xs"
            label="Allow automatic rotation (adds the scope self_rotate)"
            checked={renew}
            onChange={(event) => setRenew(event.currentTarget.checked)}
          />
        </>
      )}
      <details>
        <summary>Use a service account (recommended)</summary>
        <ol className={classes['steps']}>
          <li>
            In GitLab, open the top-level group, then <b>Settings › Service accounts</b>, and add an account.
            This requires the Owner role.
          </li>
          <li>
            Invite the account to each group to scan with the Reporter role, the minimum role that can read
            code.
          </li>
          <li>
            In the list of service accounts, select <b>Manage access tokens</b> and create a token with{' '}
            <b>read_api</b> and <b>read_repository</b>
            {renew && (
              <>
                {' '}
                and <b>self_rotate</b>
              </>
            )}
            . Copy the token; GitLab shows it once.
          </li>
          <li>Paste the token here.</li>
        </ol>
        <Text size="xs" c="dimmed">
          GitLab does not send expiry emails for service account tokens. Secu can alert you.
        </Text>
      </details>
    </div>
  );
}
