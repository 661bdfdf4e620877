import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { formatCount } from '../../format/labels.ts';
import { repositoryLabel } from '../../format/scan-labels.ts';
import { SeverityBadge } from '../../parts/badges.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { RowTime } from '../../parts/row-time.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { locationText } from '../findings/finding-labels.ts';
import classes from './repositories.module.css';
import type { Repository } from './repository-data.ts';

const MAX_FINDINGS = 20;

/** The most severe open findings, with a link to the full list. */
export function FirstFindings({ repository }: { repository: Repository }) {
  const { id, counts } = repository;
  const { data, error, refetch } = useQuery({
    queryKey: [...queryKeys.repository(id), 'findings'],
    queryFn: () =>
      request(
        api.findings.$get({ query: { repositoryId: id, status: 'open', limit: String(MAX_FINDINGS) } }),
      ),
  });
  if (error !== null) return <ProblemPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows label="Loading the findings" />;
  if (data.items.length === 0) return <NoFindings repository={repository} />;
  return (
    <>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={108}>Severity</Table.Th>
            <Table.Th>Finding</Table.Th>
            <Table.Th className={classes['wide']} w={120}>
              First seen
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.items.map((finding) => (
            <Table.Tr key={finding.id}>
              <Table.Td>
                <SeverityBadge severity={finding.severity} />
              </Table.Td>
              <Table.Td>
                <TextLink to="/findings" search={{ repository: id, finding: finding.id }}>
                  {finding.title}
                </TextLink>{' '}
                <span className={classes['dim']}>in {locationText(finding)}</span>
              </Table.Td>
              <Table.Td className={`${classes['dim']} ${classes['wide']}`}>
                <RowTime at={finding.firstSeenAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p className={classes['note']}>
        <TextLink to="/findings" search={{ repository: id }}>
          {counts.open > data.items.length
            ? `View all ${formatCount(counts.open, 'open finding')}`
            : 'Triage in Findings'}
        </TextLink>
      </p>
    </>
  );
}

/** No open findings means "clean" only after a complete scan. */
function NoFindings({ repository }: { repository: Repository }) {
  const { id, lastScan, counts } = repository;
  const { hue, text } = repositoryLabel(repository);
  if (hue !== 'ok' || counts.open > 0)
    return (
      <Empty title="No open findings so far">
        <Text size="sm" c="dimmed">
          {text}. The repository was not scanned completely.
          {lastScan !== null &&
            lastScan.missingScanners.length > 0 &&
            ` Missing scanners: ${lastScan.missingScanners.join(', ')}.`}
        </Text>
      </Empty>
    );
  return (
    <Empty title="No open findings">
      <TextLink to="/findings" search={{ repository: id, status: 'open,ignored,fixed,removed' }}>
        View closed findings
      </TextLink>
    </Empty>
  );
}
