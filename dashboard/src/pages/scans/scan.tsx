import { Alert, Button, Code, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { api, request } from '../../api/api.ts';
import { Problem } from '../../api/problem.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { useHasRole } from '../../api/session.ts';
import { useTemporalLink } from '../../api/use-temporal-link.ts';
import { capitalize, causeTitle } from '../../format/labels.ts';
import {
  branchName,
  HISTORY_TEXTS,
  INCOMPLETE_TEXTS,
  scanLabel,
  TRIGGER_TEXTS,
} from '../../format/scan-labels.ts';
import { LabelBadge } from '../../parts/badges.tsx';
import { ExternalLink } from '../../parts/external-link.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { showErrorToast } from '../../parts/toast.ts';
import { repositoryQuery } from '../repositories/repository-data.ts';
import { Phases } from './phases.tsx';
import type { Scan } from './scan-data.ts';
import { scanQuery } from './scan-data.ts';
import { ScannerTable } from './scanner-table.tsx';
import classes from './scans.module.css';

const route = getRouteApi('/shell/scans/$id');

/** The progress and result of one scan. */
export default function ScanPage() {
  const { id } = route.useParams();
  const { data: scan, error, isPending, refetch } = useQuery(scanQuery(id));
  const { data: repository } = useQuery({
    ...repositoryQuery(scan?.repositoryId ?? ''),
    enabled: scan !== undefined,
  });
  if (error instanceof Problem && error.status === 404)
    return (
      <Page title="Scan">
        <Empty title="Scan not found">
          <Text size="sm">Old scans are removed after a while, and with their integration.</Text>
        </Empty>
      </Page>
    );
  const found = scan?.scanners.reduce((sum, { findings }) => sum + findings, 0) ?? 0;
  return (
    <Page
      title={repository === undefined ? 'Scan' : `Scan of ${repository.fullPath}`}
      badge={
        scan === undefined ? undefined : (
          <span role="status">
            <LabelBadge label={scanLabel(scan, found)} />
          </span>
        )
      }
      actions={scan === undefined ? undefined : <CancelButton scan={scan} />}
    >
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {isPending && <LoadingRows label="Loading the scan" />}
      {scan !== undefined && (
        <>
          <Facts scan={scan} path={repository?.fullPath} />
          {scan.cause !== null && <Cause scan={scan} cause={scan.cause} />}
          <Phases scan={scan} />
          <Title order={2} mb="sm">
            Scanners
          </Title>
          <ScannerTable scan={scan} />
        </>
      )}
    </Page>
  );
}

function Facts({ scan, path }: { scan: Scan; path: string | undefined }) {
  const { repositoryId, trigger, history, attempt, commit, finishedAt, refs, incompleteBecause } = scan;
  const temporal = useTemporalLink(`scan:${repositoryId}`);
  return (
    <div className={classes['facts']}>
      <TextLink to="/repositories/$id" params={{ id: repositoryId }}>
        {path ?? 'Repository'}
      </TextLink>
      <span>{TRIGGER_TEXTS[trigger]}</span>
      <span>{HISTORY_TEXTS[history]}</span>
      <span>Attempt {attempt}</span>
      {commit !== null && (
        <span>
          Commit <span className={classes['mono']}>{commit.slice(0, 12)}</span>
        </span>
      )}
      {refs.length > 0 && <span>Covers {refs.map(({ name }) => branchName(name)).join(', ')}</span>}
      {incompleteBecause.map((reason) => (
        <span key={reason}>{INCOMPLETE_TEXTS[reason]}</span>
      ))}
      {finishedAt !== null && (
        <span>
          Finished <TimeAgo at={finishedAt} />
        </span>
      )}
      {temporal !== null && <ExternalLink href={temporal}>Open in Temporal</ExternalLink>}
    </div>
  );
}

/** Why the scan failed, was canceled or waits, and what to do about it. */
function Cause({ scan, cause }: { scan: Scan; cause: string }) {
  const hue = scan.status === 'failed' ? 'bad' : scan.status === 'canceled' ? 'neutral' : 'warn';
  return (
    <Alert color={hue} title={capitalize(causeTitle(cause))} mb="md">
      <Text size="sm">{scan.advice}</Text>
      <Text size="xs" mt="xs">
        Scan <Code>{scan.id}</Code>, cause <Code>{cause}</Code>
      </Text>
    </Alert>
  );
}

function CancelButton({ scan }: { scan: Scan }) {
  const client = useQueryClient();
  const mayCancel = useHasRole('operator');
  const [isCanceling, setCanceling] = useState(false);
  if (!mayCancel || (scan.status !== 'queued' && scan.status !== 'running')) return null;
  const cancel = async () => {
    setCanceling(true);
    try {
      client.setQueryData(
        scanQuery(scan.id).queryKey,
        await request(api.scans[':id'].cancel.$post({ param: { id: scan.id } })),
      );
      await client.invalidateQueries({ queryKey: queryKeys.repository(scan.repositoryId) });
    } catch (err) {
      showErrorToast(err);
    } finally {
      setCanceling(false);
    }
  };
  return (
    <Button variant="default" loading={isCanceling} onClick={() => void cancel()}>
      Cancel scan
    </Button>
  );
}
