import { Table, Text } from '@mantine/core';
import { causeTitle } from '../../format/labels.ts';
import { SCANNER_STATUS_LABELS, shortRules, skippedText } from '../../format/scan-labels.ts';
import { formatDuration } from '../../format/time.ts';
import { LabelBadge } from '../../parts/badges.tsx';
import { ScrollBox } from '../../parts/scroll-box.tsx';
import type { Scan } from './scan-data.ts';
import classes from './scans.module.css';

/** One row per scanner: its version and rules, what it read and what it skipped. */
export function ScannerTable({ scan }: { scan: Scan }) {
  if (scan.scanners.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {scan.finishedAt === null ? 'No scanner has finished yet.' : 'No scanner ran.'}
      </Text>
    );
  return (
    <ScrollBox label="Scanners">
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            {[
              'Scanner',
              'Version',
              'Rules',
              'Status',
              'Findings',
              'Files read',
              'Files skipped',
              'Duration',
            ].map((title) => (
              <Table.Th key={title} miw={title === 'Status' ? 128 : undefined}>
                {title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {scan.scanners.map((run) => (
            <Table.Tr key={run.name}>
              <Table.Td>{run.name}</Table.Td>
              <Table.Td>{run.version ?? '–'}</Table.Td>
              <Table.Td className={classes['mono']} title={run.rules ?? undefined}>
                {shortRules(run.rules)}
              </Table.Td>
              <Table.Td>
                <LabelBadge label={SCANNER_STATUS_LABELS[run.status]} />
                {run.cause !== null && ` ${causeTitle(run.cause)}`}
                {run.status === 'unavailable' && ' (result incomplete)'}
              </Table.Td>
              <Table.Td>{run.findings.toLocaleString('en')}</Table.Td>
              <Table.Td>{run.filesScanned.toLocaleString('en')}</Table.Td>
              <Table.Td>{skippedText(run.filesSkipped) || '–'}</Table.Td>
              <Table.Td>{formatDuration(run.durationMs)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollBox>
  );
}
