import { Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { integrationNamesQuery } from '../../api/integration-names.ts';
import { Problem } from '../../api/problem.ts';
import { repositoryLabel, scanBlockReason } from '../../format/scan-labels.ts';
import { LabelBadge } from '../../parts/badges.tsx';
import { ExternalLink } from '../../parts/external-link.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { Coverage } from './coverage.tsx';
import { FirstFindings } from './first-findings.tsx';
import classes from './repositories.module.css';
import type { Repository } from './repository-data.ts';
import { repositoryQuery } from './repository-data.ts';
import { ScanButtons } from './scan-buttons.tsx';
import { Scans } from './scans.tsx';

const route = getRouteApi('/shell/repositories/$id');
const TABS = ['findings', 'scans', 'coverage'] as const;

/** A repository with its findings, scans and coverage. */
export default function RepositoryPage() {
  const { id } = route.useParams();
  const { data, error, isPending, refetch } = useQuery(repositoryQuery(id));
  if (error instanceof Problem && error.status === 404)
    return (
      <Page title="Repository">
        <Empty title="Repository not found">
          <Text size="sm">It may have been removed together with its integration.</Text>
          <TextLink to="/repositories">All repositories</TextLink>
        </Empty>
      </Page>
    );
  return (
    <Page
      title={data?.fullPath ?? 'Repository'}
      badge={data === undefined ? undefined : <LabelBadge label={repositoryLabel(data)} />}
      actions={data === undefined ? undefined : <ScanButtons repository={data} />}
    >
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {isPending && <LoadingRows label="Loading the repository" />}
      {data !== undefined && (
        <>
          <Facts repository={data} />
          <RepositoryTabs repository={data} />
        </>
      )}
    </Page>
  );
}

function Facts({ repository }: { repository: Repository }) {
  const { integrationId, webUrl, defaultBranch, visibility, lastActivityAt, lastScan } = repository;
  const { data: names } = useQuery(integrationNamesQuery);
  const blockReason = scanBlockReason(repository);
  return (
    <>
      {blockReason !== null && (
        <Text size="sm" mb="sm">
          {blockReason}
        </Text>
      )}
      <div className={classes['facts']}>
        <span>
          Integration{' '}
          <TextLink to="/integrations/$id" params={{ id: integrationId }}>
            {names?.find((each) => each.id === integrationId)?.name ?? integrationId}
          </TextLink>
        </span>
        <ExternalLink href={webUrl}>Open in GitLab</ExternalLink>
        <span>{visibility}</span>
        {defaultBranch !== null && <span>Branch {defaultBranch}</span>}
        {lastActivityAt !== null && (
          <span>
            Last activity <TimeAgo at={lastActivityAt} />
          </span>
        )}
        {lastScan !== null && lastScan.finishedAt !== null && (
          <span>
            Scanned <TimeAgo at={lastScan.finishedAt} />
          </span>
        )}
      </div>
    </>
  );
}

function RepositoryTabs({ repository }: { repository: Repository }) {
  const { tab: given } = route.useSearch();
  const navigate = route.useNavigate();
  const tab = TABS.find((each) => each === given) ?? 'findings';
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      onChange={(next) =>
        void navigate({
          search: next === null || next === 'findings' ? {} : { tab: next },
          replace: true,
          resetScroll: false,
        })
      }
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="findings">Findings</Tabs.Tab>
        <Tabs.Tab value="scans">Scans</Tabs.Tab>
        <Tabs.Tab value="coverage">Coverage</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="findings">
        <FirstFindings repository={repository} />
      </Tabs.Panel>
      <Tabs.Panel value="scans">
        <Scans repositoryId={repository.id} />
      </Tabs.Panel>
      <Tabs.Panel value="coverage">
        <Coverage repository={repository} />
      </Tabs.Panel>
    </Tabs>
  );
}
