import { Button, Text, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { useHasRole } from '../../../api/session.ts';
import { formField } from '../../../parts/form-field.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import type { Integration } from '../data.ts';
import { rotationBlockText } from '../labels.ts';
import { RotationFields, readAutoRotate } from '../shared/rotation-fields.tsx';
import type { DialogName } from './dialog-props.ts';
import { FilterSettings } from './filter-settings.tsx';
import { SettingsSection } from './settings-section.tsx';
import classes from './settings-tab.module.css';
import { useSubmit } from './use-submit.ts';
import { useUpdateIntegration } from './use-update-integration.ts';

export default function SettingsTab({
  integration,
  open,
}: {
  integration: Integration;
  open: (dialog: DialogName) => void;
}) {
  const mayOperate = useHasRole('operator');
  const isAdmin = useHasRole('admin');
  if (!mayOperate)
    return <Text size="sm">Operators and administrators may change the settings of an integration.</Text>;
  // what GitLab does not tell a person may know from where the token was made
  const asksExpiry = integration.token?.expiry.state === 'unknown';
  return (
    <div className={classes['settings']}>
      <NameForm integration={integration} />
      <FilterSettings integration={integration} />
      {asksExpiry && <ExpiryForm integration={integration} />}
      {isAdmin && <RotationForm integration={integration} />}
      {isAdmin && (
        <SettingsSection title="Remove">
          <Text size="sm">
            Scanning stops, the sealed token is wiped, repositories and findings leave Secu. The token stays
            valid at GitLab.
          </Text>
          <Button color="bad" variant="outline" onClick={() => open('remove')} className={classes['act']}>
            Remove this integration
          </Button>
        </SettingsSection>
      )}
    </div>
  );
}

/** A part of the settings that is saved by itself. */
function SettingsForm({
  title,
  save,
  disabled = false,
  children,
}: {
  title: string;
  save: (form: HTMLFormElement) => Promise<void>;
  disabled?: boolean;
  children: ReactNode;
}) {
  const { submit, isRunning, error } = useSubmit(save);
  return (
    <SettingsSection title={title}>
      <form onSubmit={submit} className={classes['form']}>
        {children}
        {error !== null && <ProblemPanel error={error} />}
        <Button
          type="submit"
          variant="default"
          loading={isRunning}
          disabled={disabled}
          className={classes['act']}
        >
          Save
        </Button>
      </form>
    </SettingsSection>
  );
}

function NameForm({ integration: { id, name } }: { integration: Integration }) {
  const patch = useUpdateIntegration(id);
  return (
    <SettingsForm title="Name" save={(form) => patch({ name: formField(form, 'name').trim() })}>
      <TextInput name="name" aria-label="Name" defaultValue={name} required maxLength={100} />
    </SettingsForm>
  );
}

function RotationForm({ integration: { id, autoRotate, token } }: { integration: Integration }) {
  const patch = useUpdateIntegration(id);
  const [changed, setChanged] = useState(false);
  const block = token?.rotateBlockedBy ?? null;
  const cannot = token?.canRotate !== true && block !== 'expires_within_48_hours' && !autoRotate.enabled;
  return (
    <SettingsForm
      title="Rotation"
      disabled={cannot || !changed}
      save={async (form) => {
        await patch({ autoRotate: readAutoRotate(form) });
        setChanged(false);
      }}
    >
      <div className={classes['form']} onInput={() => setChanged(true)}>
        <RotationFields
          enabled={autoRotate.enabled}
          daysBefore={autoRotate.daysBefore}
          disabled={cannot}
          onChange={() => setChanged(true)}
        />
      </div>
      {cannot && (
        <Text size="sm" c="warn">
          Not possible with this token: {rotationBlockText(block)}. Replace it by one that may.
        </Text>
      )}
    </SettingsForm>
  );
}

function ExpiryForm({ integration: { id, token } }: { integration: Integration }) {
  const patch = useUpdateIntegration(id);
  return (
    <SettingsForm title="Expiry" save={(form) => patch({ expiresAt: formField(form, 'expiresAt') })}>
      <TextInput
        type="date"
        name="expiresAt"
        label="The token expires on"
        description="GitLab does not tell for this one. Secu warns before this day; the token is dead from 00:00 UTC of it."
        defaultValue={token?.expiresAt ?? ''}
        required
      />
    </SettingsForm>
  );
}
