import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { causeTitle } from '../../format/labels.ts';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { scanQuery } from '../scans/scan-data.ts';
import { ScannerTable } from '../scans/scanner-table.tsx';
import classes from './repositories.module.css';
import type { Repository } from './repository-data.ts';

/** The scanners of the last finished scan: their rules, what they read and what they skipped. */
export function Coverage({ repository }: { repository: Repository }) {
  const { lastScan } = repository;
  if (lastScan === null)
    return (
      <Empty title="Never scanned">
        <Text size="sm" c="dimmed">
          Coverage is available after the first scan.
        </Text>
      </Empty>
    );
  return (
    <>
      <HistoryCoverage history={repository.history} />
      <ScanCoverage scanId={lastScan.id} />
    </>
  );
}

const HISTORY_TEXTS: Record<Repository['history']['state'], string> = {
  off: 'The history is not searched.',
  waiting: 'The history will be searched after more urgent scans.',
  read: 'The history was searched up to these commits:',
  partial: 'The history was searched up to these commits, not in full:',
  failed: 'The history could not be searched.',
};

/** How far the history was searched for secrets, by branch. */
function HistoryCoverage({ history: { state, cause, refs } }: { history: Repository['history'] }) {
  return (
    <div className={classes['note']}>
      {HISTORY_TEXTS[state]}
      {state === 'failed' && ` Cause: ${causeTitle(cause)}. It is tried again a day later.`}
      {refs.length > 0 && state !== 'off' && (
        <ul>
          {refs.map(({ name, commit, scannedAt }) => (
            <li key={name}>
              {name} <span className={classes['mono']}>{commit.slice(0, 12)}</span>,{' '}
              <TimeAgo at={scannedAt} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function ScanCoverage({ scanId }: { scanId: string }) {
  const { data, error, refetch } = useQuery(scanQuery(scanId));
  if (data === undefined && error !== null)
    return <ProblemPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows label="Loading the coverage" />;
  return (
    <>
      <p className={classes['note']}>
        From the{' '}
        <TextLink size="xs" to="/scans/$id" params={{ id: scanId }}>
          last scan
        </TextLink>
        {data.commit !== null && (
          <>
            {' '}
            of commit <span className={classes['mono']}>{data.commit.slice(0, 12)}</span>
          </>
        )}
        .
      </p>
      <ScannerTable scan={data} />
    </>
  );
}
