import { useMantineColorScheme } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { api, request } from '../api/api.ts';
import { integrationNamesQuery } from '../api/integration-names.ts';
import { queryKeys } from '../api/query-keys.ts';
import { useHasRole } from '../api/session.ts';
import { formatCount } from '../format/labels.ts';
import { showErrorToast, showToast } from '../parts/toast.ts';
import type { Item } from './palette-items.ts';

const MIN_QUERY_LENGTH = 2;
const MAX_RESULTS = 20;

export function usePages(): Item[] {
  const navigate = useNavigate();
  const isOperator = useHasRole('operator');
  const isAdmin = useHasRole('admin');
  const page = (text: string, to: string, isAllowed = true) =>
    isAllowed ? [{ id: to, group: 'Pages', text, run: () => void navigate({ href: to }) }] : [];
  return [
    ...page('Overview', '/'),
    ...page('Integrations', '/integrations'),
    ...page('New integration', '/integrations/new', isOperator),
    ...page('Repositories', '/repositories'),
    ...page('Findings', '/findings'),
    ...page('Critical findings', '/findings?severity=critical'),
    ...page('Channels', '/settings/channels', isAdmin),
    ...page('API keys', '/settings/api-keys', isAdmin),
    ...page('Users', '/settings/users', isAdmin),
    ...page('Audit', '/settings/audit', isAdmin),
    ...page('About', '/settings/about'),
  ];
}

export function useIntegrations(): Item[] {
  const navigate = useNavigate();
  const { data = [] } = useQuery(integrationNamesQuery);
  return data.map(({ id, name, baseUrl }) => ({
    id,
    group: 'Integrations',
    text: name,
    hint: new URL(baseUrl).host,
    run: () => void navigate({ to: '/integrations/$id', params: { id } }),
  }));
}

/** Searched by the server, because there may be thousands. */
export function useRepositories(query: string): { items: Item[]; isBusy: boolean } {
  const navigate = useNavigate();
  const q = query.trim();
  const { data, isFetching } = useQuery({
    queryKey: queryKeys.repositorySearch({ q, limit: String(MAX_RESULTS) }),
    queryFn: ({ signal }) =>
      request(api.repositories.$get({ query: { q, limit: MAX_RESULTS } }, { init: { signal } })),
    enabled: q.length >= MIN_QUERY_LENGTH,
    placeholderData: keepPreviousData,
  });
  const found = q.length >= MIN_QUERY_LENGTH ? (data?.items ?? []) : [];
  const items = found.map(({ id, fullPath }) => ({
    id,
    group: 'Repositories',
    text: fullPath,
    run: () => void navigate({ to: '/repositories/$id', params: { id } }),
  }));
  return { items, isBusy: isFetching };
}

/** Actions for the current page, and the colour scheme. */
export function useActions(): Item[] {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const isOperator = useHasRole('operator');
  const action = (text: string, run: () => void): Item => ({ id: text, group: 'Actions', text, run });
  const apiAction = (text: string, run: () => Promise<string>) =>
    action(text, () => void run().then(showToast, showErrorToast));
  const [, area, id] = /^\/(integrations|repositories)\/([a-z]{3}_\w+)$/.exec(path) ?? [];
  const pageActions =
    !isOperator || id === undefined
      ? []
      : area === 'integrations'
        ? integrationActions(id).map(([text, run]) => apiAction(text, run))
        : [apiAction('Scan this repository', () => scanRepository(id))];
  return [
    ...pageActions,
    action('Use light theme', () => setColorScheme('light')),
    action('Use dark theme', () => setColorScheme('dark')),
    action('Use system theme', () => setColorScheme('auto')),
  ];
}

function integrationActions(id: string): [text: string, run: () => Promise<string>][] {
  const integration = api.integrations[':id'];
  const param = { id };
  return [
    [
      'Verify this integration',
      async () => {
        await request(integration.verify.$post({ param }));
        return 'Verified.';
      },
    ],
    [
      'Sync this integration',
      async () => {
        await request(integration.sync.$post({ param, json: {} }));
        return 'Sync started.';
      },
    ],
    [
      'Scan this integration',
      async () => {
        const { queued } = await request(integration.scan.$post({ param, json: {} }));
        return `${formatCount(queued, 'scan')} queued.`;
      },
    ],
  ];
}

async function scanRepository(id: string): Promise<string> {
  await request(api.repositories[':id'].scan.$post({ param: { id }, json: {} }));
  return 'Scan queued.';
}
