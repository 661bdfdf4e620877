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

const MIN_QUERY = 2;
const MOST = 20;

export function usePages(): Item[] {
  const navigate = useNavigate();
  const isOperator = useHasRole('operator');
  const isAdmin = useHasRole('admin');
  const page = (text: string, to: string, may = true) =>
    may ? [{ id: to, group: 'Pages', text, act: () => void navigate({ href: to }) }] : [];
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
    act: () => void navigate({ to: '/integrations/$id', params: { id } }),
  }));
}

/** The server finds them: there may be thousands. */
export function useRepositories(query: string): { items: Item[]; isBusy: boolean } {
  const navigate = useNavigate();
  const q = query.trim();
  const { data, isFetching } = useQuery({
    queryKey: queryKeys.repositorySearch({ q, limit: String(MOST) }),
    queryFn: ({ signal }) =>
      request(api.repositories.$get({ query: { q, limit: MOST } }, { init: { signal } })),
    enabled: q.length >= MIN_QUERY,
    placeholderData: keepPreviousData,
  });
  const found = q.length >= MIN_QUERY ? (data?.items ?? []) : [];
  const items = found.map(({ id, fullPath }) => ({
    id,
    group: 'Repositories',
    text: fullPath,
    act: () => void navigate({ to: '/repositories/$id', params: { id } }),
  }));
  return { items, isBusy: isFetching };
}

/** What can be done with the page in view, and with the page's colours. */
export function useActions(): Item[] {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const isOperator = useHasRole('operator');
  const action = (text: string, act: () => void): Item => ({ id: text, group: 'Actions', text, act });
  const call = (text: string, run: () => Promise<string>) =>
    action(text, () => void run().then(showToast, showErrorToast));
  const [, area, id] = /^\/(integrations|repositories)\/([a-z]{3}_\w+)$/.exec(path) ?? [];
  const ofPage =
    !isOperator || id === undefined
      ? []
      : area === 'integrations'
        ? integrationActions(id).map(([text, run]) => call(text, run))
        : [call('Scan this repository', () => scanRepository(id))];
  return [
    ...ofPage,
    action('Light colours', () => setColorScheme('light')),
    action('Dark colours', () => setColorScheme('dark')),
    action('Colours of the system', () => setColorScheme('auto')),
  ];
}

function integrationActions(id: string): [text: string, run: () => Promise<string>][] {
  const one = api.integrations[':id'];
  const param = { id };
  return [
    [
      'Verify this integration',
      async () => {
        await request(one.verify.$post({ param }));
        return 'Verified.';
      },
    ],
    [
      'Sync this integration',
      async () => {
        await request(one.sync.$post({ param, json: {} }));
        return 'Sync started.';
      },
    ],
    [
      'Scan this integration',
      async () => {
        const { queued } = await request(one.scan.$post({ param, json: {} }));
        return `${formatCount(queued, 'scan')} queued.`;
      },
    ],
  ];
}

async function scanRepository(id: string): Promise<string> {
  await request(api.repositories[':id'].scan.$post({ param: { id }, json: {} }));
  return 'Scan queued.';
}
