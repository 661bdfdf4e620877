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

/** Counts for the values of a facet, under the other filters. */
function useSummaryWithout(query: FindingQuery, facet: Facet) {
  const { [facet]: _own, ...otherFilters } = query;
  return useQuery(summaryQuery(otherFilters)).data;
}

export function FilterBar({
  search,
  onSearch,
}: {
  search: FindingSearch;
  onSearch: (next: FindingSearch) => void;
}) {
  return (
    <div className={classes['filters']}>
      <SearchField
        label="Search findings"
        value={search.q ?? ''}
        onSearch={(q) => onSearch(q === '' ? without(search, ['q']) : { ...search, q })}
      />
      <FacetChips search={search} onSearch={onSearch} />
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
          Clear filters
        </Button>
      )}
    </div>
  );
}

function FacetChips({
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
  const setFacet = (facet: Facet) => (selected: readonly string[]) =>
    onSearch(withFacet(search, facet, selected));
  return (
    <>
      <Chips
        labelled
        label="Status"
        selected={facetValues(search, 'status')}
        options={STATUSES.map((value) => ({ value, text: STATUS_TEXTS[value], count: byStatus?.[value] }))}
        onChange={setFacet('status')}
      />
      <Chips
        labelled
        label="Severity"
        selected={facetValues(search, 'severity')}
        options={SEVERITIES.map((value) => ({
          value,
          text: SEVERITY_LABELS[value].text,
          hue: SEVERITY_LABELS[value].hue,
          count: bySeverity?.[value],
        }))}
        onChange={setFacet('severity')}
      />
      <Chips
        labelled
        label="Kind"
        selected={facetValues(search, 'kind')}
        options={KINDS.map((value) => ({ value, text: KIND_TEXTS[value], count: byKind?.[value] }))}
        onChange={setFacet('kind')}
      />
    </>
  );
}

/** Hidden when there is only one integration. */
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
        ...(unknown ? [{ value, label: 'Removed integration' }] : []),
      ]}
    />
  );
}

function RepositoryChip({ id, onRemove }: { id: string; onRemove: () => void }) {
  const { data } = useQuery(repositoryQuery(id));
  return (
    <span className={classes['only']}>
      <Text size="xs" span>
        Repository {data?.fullPath ?? id}
      </Text>
      <ActionIcon size="sm" aria-label="Show all repositories" onClick={onRemove}>
        <IconX size={14} />
      </ActionIcon>
    </span>
  );
}
