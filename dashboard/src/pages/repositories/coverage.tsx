import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { scanQuery } from '../scans/scan-data.ts';
import { ScannerTable } from '../scans/scanner-table.tsx';
import classes from './repositories.module.css';
import type { Repository } from './repository-data.ts';

/** Which scanner looked at what, by which rules, and what it left out: of the last scan that ended. */
export function Coverage({ repository }: { repository: Repository }) {
  const { lastScan } = repository;
  if (lastScan === null)
    return (
      <Empty title="Never scanned.">
        <Text size="sm" c="dimmed">
          Nothing is known of what is in it.
        </Text>
      </Empty>
    );
  return <CoverageOf scanId={lastScan.id} />;
}

function CoverageOf({ scanId }: { scanId: string }) {
  const { data, error, refetch } = useQuery(scanQuery(scanId));
  if (data === undefined && error !== null)
    return <ProblemPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows label="The coverage is on its way" />;
  return (
    <>
      <p className={classes['note']}>
        By the{' '}
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
