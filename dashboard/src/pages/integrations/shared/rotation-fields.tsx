import { NumberInput, Switch } from '@mantine/core';
import { fieldOf } from '../../../parts/form-field.ts';

const DAYS = { min: 3, max: 60 };

/** Whether and when Secu renews the token by itself. The fields are read by {@link rotationOf}. */
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

export function rotationOf(form: HTMLFormElement): { enabled: boolean; daysBefore: number } {
  return { enabled: fieldOf(form, 'rotates') === 'on', daysBefore: Number(fieldOf(form, 'daysBefore')) };
}
