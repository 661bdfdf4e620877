import { NumberInput, Switch } from '@mantine/core';
import { formField } from '../../../parts/form-field.ts';

const DAYS = { min: 3, max: 60 };

/** Whether and when Secu renews the token by itself. The fields are read by {@link readAutoRotate}. */
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
        label="Rotate the token at GitLab before it expires"
        description="It needs the scope self_rotate. GitLab ends the old token at once: use it nowhere else."
        defaultChecked={enabled}
        disabled={disabled}
        {...(onChange && { onChange })}
      />
      <NumberInput
        size="xs"
        name="daysBefore"
        label="Days before"
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
