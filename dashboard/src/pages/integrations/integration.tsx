import { Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Problem } from '../../api/problem.ts';
import { useHasRole } from '../../api/session.ts';
import { ButtonLink } from '../../parts/button-link.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import type { Integration } from './data.ts';
import { integrationQuery } from './data.ts';
import { Actions } from './detail/actions.tsx';
import { Banners } from './detail/banners.tsx';
import type { DialogName } from './detail/dialog-props.ts';
import { Facts } from './detail/facts.tsx';
import { Progress } from './detail/progress.tsx';
import { RepositoriesTab } from './detail/repositories-tab.tsx';
import { StatusBadge } from './shared/status.tsx';

const Dialogs = lazy(() => import('./detail/dialogs.tsx'));
const ActivityTab = lazy(() => import('./detail/activity-tab.tsx'));
const SettingsTab = lazy(() => import('./detail/settings-tab.tsx'));
const route = getRouteApi('/shell/integrations/$id');
const TABS = ['repositories', 'activity', 'settings'] as const;

export default function IntegrationPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(integrationQuery(id));
  if (error instanceof Problem && error.status === 404) return <IntegrationNotFound />;
  if (data === undefined)
    return (
      <Page title="Integration">
        {error === null ? (
          <LoadingRows label="Loading the integration" />
        ) : (
          <ProblemPanel error={error} onRetry={() => void refetch()} />
        )}
      </Page>
    );
  return (
    <>
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {/* the key resets forms and dialogs when the integration changes */}
      <Loaded key={id} integration={data} />
    </>
  );
}

function IntegrationNotFound() {
  return (
    <Page title="Integration not found">
      <Empty title="This integration does not exist">
        <Text size="sm" c="dimmed">
          It may have been removed.
        </Text>
        <ButtonLink to="/integrations" variant="default">
          All integrations
        </ButtonLink>
      </Empty>
    </Page>
  );
}

function Loaded({ integration }: { integration: Integration }) {
  const { tab: requestedTab, act } = route.useSearch();
  const navigate = useNavigate({ from: '/integrations/$id' });
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const mayReplace = useHasRole('operator');
  // the overview links to a dialog; the parameter is removed once the dialog is open
  useEffect(() => {
    if (act === undefined) return;
    if (act === 'replace' && mayReplace) setDialog('replace');
    void navigate({ search: ({ act: _opened, ...rest }) => rest, replace: true });
  }, [act, mayReplace, navigate]);
  const tab = TABS.find((known) => known === requestedTab) ?? 'repositories';
  const selectTab = (next: string | null) =>
    void navigate({ search: next === null || next === 'repositories' ? {} : { tab: next } });
  return (
    <Page
      title={integration.name}
      badge={<StatusBadge integration={integration} />}
      actions={<Actions integration={integration} open={setDialog} />}
    >
      <Banners integration={integration} open={setDialog} />
      <Facts integration={integration} />
      <Progress integration={integration} />
      <Tabs value={tab} onChange={selectTab} keepMounted={false} mt="lg">
        <Tabs.List mb="md">
          <Tabs.Tab value="repositories">Repositories</Tabs.Tab>
          <Tabs.Tab value="activity">Activity</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="repositories">
          <RepositoriesTab integration={integration} />
        </Tabs.Panel>
        <Suspense fallback={<LoadingRows label="Loading the tab" />}>
          <Tabs.Panel value="activity">
            <ActivityTab id={integration.id} />
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <SettingsTab integration={integration} open={setDialog} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
      <Suspense>
        {dialog !== null && (
          <Dialogs name={dialog} integration={integration} onClose={() => setDialog(null)} />
        )}
      </Suspense>
    </Page>
  );
}
