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

/** Filters are previewed before they can be saved. */
export function FilterSettings({ integration: { id, filters } }: { integration: Integration }) {
  const update = useUpdateIntegration(id);
  const [previewed, setPreviewed] = useState<{ filters: Filters; preview: Preview } | null>(null);
  const preview = useSubmit(async (form) => {
    const next = readFilters(form);
    setPreviewed({ filters: next, preview: await fetchPreview(id, next) });
  });
  const save = useSubmit(async () => {
    if (previewed === null) return;
    await update({ filters: previewed.filters });
    setPreviewed(null);
  });
  return (
    <SettingsSection title="Filters">
      {/* a changed field makes the preview obsolete */}
      <form onSubmit={preview.submit} onChange={() => setPreviewed(null)} className={classes['form']}>
        <FilterFields filters={filters} />
        {preview.error !== null && <ProblemPanel error={preview.error} />}
        <Button type="submit" variant="default" loading={preview.isRunning} className={classes['act']}>
          Preview
        </Button>
      </form>
      {previewed !== null && (
        <form onSubmit={save.submit}>
          <PreviewPanel preview={previewed.preview} />
          {save.error !== null && <ProblemPanel error={save.error} />}
          <Group gap="sm" mt="sm">
            <Button type="submit" loading={save.isRunning}>
              Save filters
            </Button>
            <Button variant="default" onClick={() => setPreviewed(null)}>
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
          ? 'No change to the known repositories'
          : `${formatCount(added, 'repository', 'repositories')} would be added, ${removed.toLocaleString('en')} excluded`
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
