import { ActionIcon, Button, NativeSelect, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { integrationNamesQuery } from '../../api/integration-names.ts';
import { SEVERITIES, SEVERITY_LABELS } from '../../format/labels.ts';
import { Chips } from '../../parts/chips.tsx';
import { SearchField } from '../../parts/search-field.tsx';
import { repositoryQuery } from '../repositories/repository-data.ts';
import type { Facet, FindingQuery, FindingSearch } from './filters.ts';
import { facetValues, isNarrowed, KINDS, STATUSES, toApiQuery, withFacet, without } from './filters.ts';
import { summaryQuery } from './finding-data.ts';
import { KIND_TEXTS, STATUS_TEXTS } from './finding-labels.ts';
import classes from './findings.module.css';

/** What a facet would show beside what the other filters leave. */
function useSummaryWithout(query: FindingQuery, facet: Facet) {
  const { [facet]: _own, ...others } = query;
  return useQuery(summaryQuery(others)).data;
}

export function FilterBar({
  search,
  onSearch,
}: {
  search: FindingSearch;
  onSearch: (next: FindingSearch) => void;
}) {
  const query = toApiQuery(search);
  const byStatus = useSummaryWithout(query, 'status')?.byStatus;
  const bySeverity = useSummaryWithout(query, 'severity')?.bySeverity;
  const byKind = useSummaryWithout(query, 'kind')?.byKind;
  const choose = (facet: Facet) => (chosen: readonly string[]) => onSearch(withFacet(search, facet, chosen));
  return (
    <div className={classes['filters']}>
      <SearchField
        label="Search findings"
        value={search.q ?? ''}
        onSearch={(q) => onSearch(q === '' ? without(search, ['q']) : { ...search, q })}
      />
      <Chips
        labelled
        label="Status"
        chosen={facetValues(search, 'status')}
        options={STATUSES.map((value) => ({ value, text: STATUS_TEXTS[value], count: byStatus?.[value] }))}
        onChange={choose('status')}
      />
      <Chips
        labelled
        label="Severity"
        chosen={facetValues(search, 'severity')}
        options={SEVERITIES.map((value) => ({
          value,
          text: SEVERITY_LABELS[value].text,
          hue: SEVERITY_LABELS[value].hue,
          count: bySeverity?.[value],
        }))}
        onChange={choose('severity')}
      />
      <Chips
        labelled
        label="Kind"
        chosen={facetValues(search, 'kind')}
        options={KINDS.map((value) => ({ value, text: KIND_TEXTS[value], count: byKind?.[value] }))}
        onChange={choose('kind')}
      />
      <IntegrationSelect
        value={search.integration}
        onChange={(integration) =>
          onSearch(integration === '' ? without(search, ['integration']) : { ...search, integration })
        }
      />
      {search.repository !== undefined && (
        <RepositoryChip id={search.repository} onRemove={() => onSearch(without(search, ['repository']))} />
      )}
      {isNarrowed(search) && (
        <Button
          variant="subtle"
          onClick={() => onSearch(search.finding === undefined ? {} : { finding: search.finding })}
        >
          Clear
        </Button>
      )}
    </div>
  );
}

/** Only where there is a choice. */
export function IntegrationSelect({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (id: string) => void;
}) {
  const names = useQuery(integrationNamesQuery).data ?? [];
  if (names.length < 2 && value === undefined) return null;
  const unknown = value !== undefined && !names.some(({ id }) => id === value);
  return (
    <NativeSelect
      aria-label="Integration"
      size="xs"
      value={value ?? ''}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        { value: '', label: 'All integrations' },
        ...names.map(({ id, name }) => ({ value: id, label: name })),
        ...(unknown ? [{ value, label: 'An integration that is gone' }] : []),
      ]}
    />
  );
}

function RepositoryChip({ id, onRemove }: { id: string; onRemove: () => void }) {
  const { data } = useQuery(repositoryQuery(id));
  return (
    <span className={classes['only']}>
      <Text size="xs" span>
        in {data?.fullPath ?? 'one repository'}
      </Text>
      <ActionIcon size="sm" aria-label="Show all repositories" onClick={onRemove}>
        <IconX size={14} />
      </ActionIcon>
    </span>
  );
}
