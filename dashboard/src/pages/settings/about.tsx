import { Anchor, Table, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { formatCount } from '../../format/labels.ts';
import { LabelBadge } from '../../parts/badges.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { LoadingRows } from '../../parts/states.tsx';
import {
  componentName,
  HEALTH_LABELS,
  KEY_STATE_TEXTS,
  readyQuery,
  TOOL_STATUS_LABELS,
} from './about/health.ts';
import { Cell } from './list-table.tsx';
import classes from './settings.module.css';

const fetchAbout = () => request(api.about.$get());
type Facts = Awaited<ReturnType<typeof fetchAbout>>;

/** Versions and health of this installation. */
export default function About() {
  const { data, error, refetch } = useQuery({ queryKey: queryKeys.about, queryFn: fetchAbout });
  return (
    <Page title="About">
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingRows label="Loading the installation" />}
      {data !== undefined && (
        <>
          <Installation facts={data} />
          <Health />
          <Tools tools={data.tools} />
          {data.keys.length > 0 && <KeyRing keyRing={data.keys} />}
        </>
      )}
    </Page>
  );
}

function Installation({ facts }: { facts: Facts }) {
  const { version, commit, database, namespace, temporalUi } = facts;
  return (
    <dl className={classes['facts']}>
      <dt>Version</dt>
      <dd>
        {version}
        {commit !== null && <span className={classes['code']}> {commit}</span>}
      </dd>
      <dt>Database</dt>
      <dd>{database}</dd>
      <dt>Temporal namespace</dt>
      <dd>{namespace}</dd>
      {temporalUi !== null && /^https?:/.test(temporalUi) && (
        <>
          <dt>Temporal web UI</dt>
          <dd>
            <Anchor size="sm" href={temporalUi} target="_blank" rel="noreferrer">
              {temporalUi}
            </Anchor>
          </dd>
        </>
      )}
      <dt>API</dt>
      <dd>
        <Anchor size="sm" href="/api/docs" target="_blank">
          Reference
        </Anchor>
        {' · '}
        <Anchor size="sm" href="/api/openapi.json" target="_blank">
          openapi.json
        </Anchor>
      </dd>
    </dl>
  );
}

function Health() {
  const { data, error } = useQuery(readyQuery);
  return (
    <Section title="Components">
      {error !== null && <ProblemPanel error={error} />}
      {data === undefined && error === null && <LoadingRows label="Loading the components" rows={4} />}
      {data !== undefined && (
        <Table aria-label="Components" className={classes['table']}>
          <Table.Tbody>
            {Object.entries(data.checks).map(([name, health]) => (
              <Table.Tr key={name}>
                <Table.Td w="50%">{componentName(name)}</Table.Td>
                <Table.Td>
                  <LabelBadge label={HEALTH_LABELS[health]} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}

function Tools({ tools }: { tools: Facts['tools'] }) {
  return (
    <Section title="Tools">
      <Table aria-label="Tools" className={classes['table']}>
        <TableHead titles={['Name', 'Version', 'Source', 'Status']} />
        <Table.Tbody>
          {tools.map(({ name, version, source, status }) => (
            <Table.Tr key={name}>
              <Cell head="Name">{name}</Cell>
              <Cell head="Version">{version ?? '–'}</Cell>
              <Cell head="Source">{source ?? '–'}</Cell>
              <Cell head="Status">
                <LabelBadge label={TOOL_STATUS_LABELS[status]} />
              </Cell>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function KeyRing({ keyRing }: { keyRing: Facts['keys'] }) {
  return (
    <Section title="Key ring">
      <Table aria-label="Key ring" className={classes['table']}>
        <TableHead titles={['Key', 'Purpose', 'Used by']} />
        <Table.Tbody>
          {keyRing.map(({ id, state, uses }) => (
            <Table.Tr key={id}>
              <Cell head="Key">
                <span className={classes['code']}>{id}</span>
              </Cell>
              <Cell head="Purpose">{KEY_STATE_TEXTS[state]}</Cell>
              <Cell head="Used by">{formatCount(uses, 'encrypted value')}</Cell>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes['section']}>
      <Title order={2} mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}

function TableHead({ titles }: { titles: readonly string[] }) {
  return (
    <Table.Thead>
      <Table.Tr>
        {titles.map((title) => (
          <Table.Th key={title}>{title}</Table.Th>
        ))}
      </Table.Tr>
    </Table.Thead>
  );
}
