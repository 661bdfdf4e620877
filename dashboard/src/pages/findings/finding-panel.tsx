import { ActionIcon, Badge, Button, Text, Title } from '@mantine/core';
import { IconLink, IconX } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Problem } from '../../api/problem.ts';
import { LabelBadge, SeverityBadge } from '../../parts/badges.tsx';
import { copyText } from '../../parts/copy-button.tsx';
import { ExternalLink, isHttpUrl } from '../../parts/external-link.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { showToast } from '../../parts/toast.ts';
import type { Finding } from './finding-data.ts';
import { findingInLists, findingQuery } from './finding-data.ts';
import type { Reason } from './finding-labels.ts';
import {
  actorText,
  KIND_TEXTS,
  locationText,
  REASON_TEXTS,
  shortCommit,
  statusLabel,
} from './finding-labels.ts';
import classes from './findings.module.css';
import { IgnoreMenu } from './ignore-menu.tsx';
import { isTriagable } from './use-triage.tsx';

interface PanelActions {
  /** `null` if the role may not triage. */
  onIgnore: ((finding: Finding, reason: Reason) => void) | null;
  onReopen: (finding: Finding) => void;
  onIgnoreMore: (finding: Finding) => void;
}

/** Details and actions of one finding. */
export function FindingPanel({
  id,
  onClose,
  ...actions
}: { id: string; onClose: () => void } & PanelActions) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    ...findingQuery(id),
    placeholderData: () => findingInLists(client, id),
  });
  return (
    <section
      className={classes['panel']}
      aria-label="Finding details"
      aria-busy={data === undefined && error === null}
    >
      <div className={classes['panelHead']}>
        {data !== undefined && <SeverityBadge severity={data.severity} />}
        {data !== undefined && <Badge>{KIND_TEXTS[data.kind]}</Badge>}
        {data !== undefined && data.status !== 'open' && <LabelBadge label={statusLabel(data)} />}
        <ActionIcon aria-label="Close details" onClick={onClose}>
          <IconX size={16} />
        </ActionIcon>
      </div>
      {data === undefined && error === null && <LoadingRows label="Loading the finding" />}
      {data === undefined && error instanceof Problem && error.status === 404 && (
        <Empty title="Finding not found">
          <Text size="sm">It may have been removed together with its integration.</Text>
        </Empty>
      )}
      {error !== null && !(error instanceof Problem && error.status === 404) && (
        <ProblemPanel error={error} onRetry={() => void refetch()} />
      )}
      {data !== undefined && <Details finding={data} actions={actions} />}
    </section>
  );
}

function Details({ finding, actions }: { finding: Finding; actions: PanelActions }) {
  const { title, excerpt, startLine } = finding;
  return (
    <>
      <Title order={2} className={classes['panelTitle']}>
        {title}
      </Title>
      <Text size="sm" className={classes['mono']}>
        {locationText(finding)} @ {shortCommit(finding.commit)}
      </Text>
      <pre className={classes['excerpt']}>
        <span className={classes['lineNumber']}>{startLine}</span>
        {excerpt}
      </pre>
      <Actions finding={finding} actions={actions} />
      <Facts finding={finding} />
      <History finding={finding} />
    </>
  );
}

function Actions({ finding, actions }: { finding: Finding; actions: PanelActions }) {
  const { onIgnore, onReopen, onIgnoreMore } = actions;
  return (
    <div className={classes['actions']}>
      {onIgnore !== null && isTriagable(finding) && (
        <IgnoreMenu
          disabled={false}
          onReason={(reason) => onIgnore(finding, reason)}
          onMore={() => onIgnoreMore(finding)}
        />
      )}
      {onIgnore !== null && finding.status === 'ignored' && (
        <Button variant="default" onClick={() => onReopen(finding)}>
          Reopen
        </Button>
      )}
      {isHttpUrl(finding.permalink) && (
        <Button variant="default" component="a" href={finding.permalink} target="_blank" rel="noreferrer">
          Open in GitLab
        </Button>
      )}
      <Button
        variant="default"
        leftSection={<IconLink size={14} />}
        onClick={() => void copyLink(finding.id)}
      >
        Copy link
      </Button>
    </div>
  );
}

/** Copies the address of the finding in Secu. */
export async function copyLink(id: string): Promise<void> {
  if (await copyText(`${location.origin}/findings?finding=${id}`)) showToast('Link copied.');
}

function Facts({ finding }: { finding: Finding }) {
  const { repositoryId, repositoryPath, scanner, ruleId, cwe, author, committedAt, permalink } = finding;
  return (
    <dl className={classes['facts']}>
      <dt>Repository</dt>
      <dd>
        <TextLink to="/repositories/$id" params={{ id: repositoryId }}>
          {repositoryPath}
        </TextLink>
      </dd>
      <dt>Commit</dt>
      <dd>
        <ExternalLink href={permalink}>
          <span className={classes['mono']}>{finding.commit}</span>
        </ExternalLink>
      </dd>
      <dt>Rule</dt>
      <dd>
        {scanner} <span className={classes['mono']}>{ruleId}</span>
      </dd>
      {cwe.length > 0 && (
        <>
          <dt>CWE</dt>
          <dd>{cwe.join(', ')}</dd>
        </>
      )}
      {author !== null && (
        <>
          <dt>Author</dt>
          <dd>
            {author}
            {committedAt !== null && `, ${committedAt.slice(0, 10)}`}
          </dd>
        </>
      )}
    </dl>
  );
}

function History({ finding }: { finding: Finding }) {
  const { firstSeenAt, lastSeenAt, triage } = finding;
  return (
    <>
      <Title order={3}>History</Title>
      <ul className={classes['history']}>
        {triage !== null && (
          <li>
            Ignored <TimeAgo at={triage.at} /> by {actorText(triage.by)}:{' '}
            {REASON_TEXTS[triage.reason].toLowerCase()}
            {triage.until !== null && `, until ${triage.until}`}
            {triage.comment !== null && <Text size="sm">“{triage.comment}”</Text>}
          </li>
        )}
        <li>
          Last seen <TimeAgo at={lastSeenAt} />
        </li>
        <li>
          First seen <TimeAgo at={firstSeenAt} />
        </li>
      </ul>
    </>
  );
}
