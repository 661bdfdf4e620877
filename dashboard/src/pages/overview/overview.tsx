import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { formatUtcTime } from '../../format/time.ts';
import { FirstUse } from '../../parts/first-use.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { LoadingRows } from '../../parts/states.tsx';
import { integrationsQuery } from '../integrations/data.ts';
import { Attention } from './attention.tsx';
import { Freshness } from './freshness.tsx';
import classes from './overview.module.css';
import { SeverityBars } from './severity-bars.tsx';

const ExpiryCalendar = lazy(() => import('./expiry-calendar.tsx'));

const fetchOverview = () => request(api.overview.$get());

/** Problems that need action, and the state of the installation. */
export default function Overview() {
  const { data, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: queryKeys.overview,
    queryFn: fetchOverview,
  });
  const integrations = useQuery(integrationsQuery({}));
  const isFirstUse = integrations.data?.items.length === 0;
  return (
    <Page title="Overview">
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {error !== null && data !== undefined && (
        <Text size="xs" c="warn" mb="sm">
          Last updated {formatUtcTime(new Date(dataUpdatedAt).toISOString())}.
        </Text>
      )}
      {data === undefined && error === null && <LoadingRows label="Loading the overview" />}
      {isFirstUse && <FirstUse />}
      {data !== undefined && !isFirstUse && (
        <>
          <div className={classes['columns']}>
            <Attention items={data.attention} integrations={integrations.data?.items ?? []} />
            <SeverityBars bySeverity={data.bySeverity} />
          </div>
          <Suspense fallback={<LoadingRows rows={2} label="Loading the calendar" />}>
            <ExpiryCalendar expiry={data.expiry} integrations={integrations.data?.items ?? []} />
          </Suspense>
          <Freshness freshness={data.freshness} />
        </>
      )}
    </Page>
  );
}
