import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
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
  return <ScanCoverage scanId={lastScan.id} />;
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
