import { Alert, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { formatCount } from '../../../format/labels.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import type { Integration } from '../data.ts';
import { FilterFields, readFilters } from '../shared/filter-fields.tsx';
import { SettingsSection } from './settings-section.tsx';
import classes from './settings-tab.module.css';
import { useSubmit } from './use-submit.ts';
import { useUpdateIntegration } from './use-update-integration.ts';

type Filters = Integration['filters'];
type Preview = Awaited<ReturnType<typeof fetchPreview>>;

const fetchPreview = (id: string, filters: Filters) =>
  request(api.integrations[':id'].filters.preview.$post({ param: { id }, json: { filters } }));

/** Filters are looked at before they are saved: what they would add and take away. */
export function FilterSettings({ integration: { id, filters } }: { integration: Integration }) {
  const patch = useUpdateIntegration(id);
  const [seen, setSeen] = useState<{ filters: Filters; preview: Preview } | null>(null);
  const look = useSubmit(async (form) => {
    const wanted = readFilters(form);
    setSeen({ filters: wanted, preview: await fetchPreview(id, wanted) });
  });
  const save = useSubmit(async () => {
    if (seen === null) return;
    await patch({ filters: seen.filters });
    setSeen(null);
  });
  return (
    <SettingsSection title="Filters">
      {/* what was looked at is no longer what stands in the fields */}
      <form onSubmit={look.submit} onChange={() => setSeen(null)} className={classes['form']}>
        <FilterFields filters={filters} />
        {look.error !== null && <ProblemPanel error={look.error} />}
        <Button type="submit" variant="default" loading={look.isRunning} className={classes['act']}>
          Preview
        </Button>
      </form>
      {seen !== null && (
        <form onSubmit={save.submit}>
          <PreviewPanel preview={seen.preview} />
          {save.error !== null && <ProblemPanel error={save.error} />}
          <Group gap="sm" mt="sm">
            <Button type="submit" loading={save.isRunning}>
              Save filters
            </Button>
            <Button variant="default" onClick={() => setSeen(null)}>
              Cancel
            </Button>
          </Group>
        </form>
      )}
    </SettingsSection>
  );
}

function PreviewPanel({ preview: { added, removed, sample } }: { preview: Preview }) {
  const isSame = added === 0 && removed === 0;
  return (
    <Alert
      color={isSame ? 'neutral' : 'info'}
      role="status"
      title={
        isSame
          ? 'Nothing would change among the repositories that are known.'
          : `${formatCount(added, 'repository', 'repositories')} would be added, ${removed.toLocaleString('en')} left out`
      }
    >
      <ul className={classes['sample']}>
        {sample.map(({ path, change }) => (
          <li key={path}>
            {change === 'added' ? '+' : '−'} {path}
          </li>
        ))}
      </ul>
      {sample.length < added + removed && (
        <Text size="xs" c="dimmed">
          and {(added + removed - sample.length).toLocaleString('en')} more
        </Text>
      )}
    </Alert>
  );
}
