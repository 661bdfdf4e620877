import { Button, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useHasRole } from '../../../api/session.ts';
import { formField } from '../../../parts/form-field.ts';
import type { Integration } from '../data.ts';
import { isRotationPossible } from '../labels.ts';
import { RotationFields, readAutoRotate } from '../shared/rotation-fields.tsx';
import type { DialogName } from './dialog-props.ts';
import { FilterSettings } from './filter-settings.tsx';
import { BranchSettings, HistorySettings } from './history-settings.tsx';
import { SettingsForm } from './settings-form.tsx';
import { SettingsSection } from './settings-section.tsx';
import classes from './settings-tab.module.css';
import { useUpdateIntegration } from './use-update-integration.ts';
import { WebhookSettings } from './webhook-settings.tsx';

export default function SettingsTab({
  integration,
  open,
}: {
  integration: Integration;
  open: (dialog: DialogName) => void;
}) {
  const isOperator = useHasRole('operator');
  const isAdmin = useHasRole('admin');
  if (!isOperator)
    return <Text size="sm">Operators and administrators can change the settings of an integration.</Text>;
  // GitLab does not report the expiry date of every token, but its creator may know it
  const isExpiryUnknown = integration.token?.expiry.state === 'unknown';
  return (
    <div className={classes['settings']}>
      <NameForm integration={integration} />
      <FilterSettings integration={integration} />
      <BranchSettings integration={integration} />
      <HistorySettings integration={integration} />
      {isExpiryUnknown && <ExpiryForm integration={integration} />}
      {isAdmin && <RotationForm integration={integration} />}
      {isAdmin && <WebhookSettings integration={integration} />}
      {isAdmin && (
        <SettingsSection title="Remove">
          <Text size="sm">
            Scanning stops. Secu deletes the stored token, the repositories and the findings. The token stays
            valid in GitLab.
          </Text>
          <Button color="bad" variant="outline" onClick={() => open('remove')} className={classes['act']}>
            Remove integration
          </Button>
        </SettingsSection>
      )}
    </div>
  );
}

function NameForm({ integration: { id, name } }: { integration: Integration }) {
  const update = useUpdateIntegration(id);
  return (
    <SettingsForm title="Name" save={(form) => update({ name: formField(form, 'name').trim() })}>
      <TextInput name="name" aria-label="Name" defaultValue={name} required maxLength={100} />
    </SettingsForm>
  );
}

function RotationForm({ integration: { id, autoRotate, token } }: { integration: Integration }) {
  const update = useUpdateIntegration(id);
  const [isChanged, setChanged] = useState(false);
  const isDisabled = !isRotationPossible(token) && !autoRotate.enabled;
  return (
    <SettingsForm
      title="Automatic rotation"
      disabled={isDisabled || !isChanged}
      save={async (form) => {
        await update({ autoRotate: readAutoRotate(form) });
        setChanged(false);
      }}
    >
      <div className={classes['form']} onInput={() => setChanged(true)}>
        <RotationFields
          enabled={autoRotate.enabled}
          daysBefore={autoRotate.daysBefore}
          disabled={isDisabled}
          onChange={() => setChanged(true)}
        />
      </div>
      {isDisabled && (
        <Text size="sm" c="warn">
          Not possible with this token: {token?.rotateBlockedReason ?? 'it has not been verified yet'}.
        </Text>
      )}
    </SettingsForm>
  );
}

function ExpiryForm({ integration: { id, token } }: { integration: Integration }) {
  const update = useUpdateIntegration(id);
  return (
    <SettingsForm title="Expiry" save={(form) => update({ expiresAt: formField(form, 'expiresAt') })}>
      <TextInput
        type="date"
        name="expiresAt"
        label="The token expires on"
        description="GitLab does not report it for this token. The token expires at 00:00 UTC of this day."
        defaultValue={token?.expiresAt ?? ''}
        required
      />
    </SettingsForm>
  );
}
