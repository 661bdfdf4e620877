import { NumberInput, Switch } from '@mantine/core';
import { formField } from '../../../parts/form-field.ts';

const DAYS = { min: 3, max: 60 };

/** Whether and when Secu rotates the token automatically. {@link readAutoRotate} reads the fields. */
export function RotationFields({
  enabled,
  daysBefore,
  disabled = false,
  onChange,
}: {
  enabled: boolean;
  daysBefore: number;
  disabled?: boolean;
  onChange?: () => void;
}) {
  return (
    <>
      <Switch
        size="xs"
        name="rotates"
        label="Rotate the token automatically before it expires"
        description="Requires the scope self_rotate. GitLab revokes the old token immediately, so do not use the token elsewhere."
        defaultChecked={enabled}
        disabled={disabled}
        {...(onChange && { onChange })}
      />
      <NumberInput
        size="xs"
        name="daysBefore"
        label="Days before expiry"
        defaultValue={daysBefore}
        {...DAYS}
        allowDecimal={false}
        disabled={disabled}
        maw={120}
      />
    </>
  );
}

export function readAutoRotate(form: HTMLFormElement): { enabled: boolean; daysBefore: number } {
  return { enabled: formField(form, 'rotates') === 'on', daysBefore: Number(formField(form, 'daysBefore')) };
}
