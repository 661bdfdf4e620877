import { NativeSelect, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import { formField } from '../../../parts/form-field.ts';
import type { Integration } from '../data.ts';
import { SettingsForm } from './settings-form.tsx';
import { useUpdateIntegration } from './use-update-integration.ts';

type BranchMode = Integration['branches']['mode'];
type HistoryMode = NonNullable<Integration['history']>;

const BRANCH_MODES: Record<BranchMode, string> = {
  default: 'The default branch',
  protected: 'Protected branches',
  all: 'All branches',
  globs: 'Branches that match these patterns',
};

const HISTORY_MODES: Record<HistoryMode, string> = {
  full: 'The whole history, then new commits',
  since: 'New commits since the first scan',
  off: 'Only the newest commit',
};
/** The value of the select for an integration without a mode of its own. */
const AS_CONFIGURED = '';

/** In which branches secrets are looked for. */
export function BranchSettings({ integration: { id, branches } }: { integration: Integration }) {
  const update = useUpdateIntegration(id);
  const [mode, setMode] = useState<BranchMode>(branches.mode);
  const options = Object.entries(BRANCH_MODES).map(([value, label]) => ({ value, label }));
  return (
    <SettingsForm
      title="Branches"
      save={(form) => {
        const globs = mode === 'globs' ? linesOf(formField(form, 'globs')) : [];
        return update({ branches: { mode, globs } });
      }}
    >
      <Text size="sm">Secrets are looked for in these branches; code rules apply to the default branch.</Text>
      <NativeSelect
        aria-label="Branches"
        data={options}
        value={mode}
        onChange={({ currentTarget }) => setMode(modeOf(currentTarget.value))}
      />
      {mode === 'globs' && (
        <Textarea
          name="globs"
          label="Patterns, one a line"
          description="* matches within a name part, ** across parts: release/*, team/**"
          defaultValue={branches.globs.join('\n')}
          required
          autosize
          minRows={2}
        />
      )}
    </SettingsForm>
  );
}

/** How much of the history is searched. */
export function HistorySettings({ integration: { id, history } }: { integration: Integration }) {
  const update = useUpdateIntegration(id);
  const options = [
    { value: AS_CONFIGURED, label: 'As SECU_HISTORY says' },
    ...Object.entries(HISTORY_MODES).map(([value, label]) => ({ value, label })),
  ];
  return (
    <SettingsForm title="History" save={(form) => update({ history: historyOf(formField(form, 'history')) })}>
      <Text size="sm">A secret that was removed from the files is still in the history.</Text>
      <NativeSelect
        name="history"
        aria-label="History"
        data={options}
        defaultValue={history ?? AS_CONFIGURED}
      />
    </SettingsForm>
  );
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function modeOf(value: string): BranchMode {
  return (Object.keys(BRANCH_MODES) as BranchMode[]).find((mode) => mode === value) ?? 'default';
}

function historyOf(value: string): HistoryMode | null {
  return (Object.keys(HISTORY_MODES) as HistoryMode[]).find((mode) => mode === value) ?? null;
}
