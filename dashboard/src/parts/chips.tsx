import type { Hue } from '../theme/tokens.ts';
import classes from './chips.module.css';

/** Filter values that can be toggled; no selection means all. */
export function Chips<T extends string>({
  label,
  options,
  selected,
  onChange,
  labelled = false,
}: {
  label: string;
  options: readonly { value: T; text: string; count?: number | undefined; hue?: Hue }[];
  selected: readonly T[];
  onChange: (selected: T[]) => void;
  /** Shows the label, for pages with several filters. */
  labelled?: boolean;
}) {
  return (
    <fieldset className={classes['chips']} aria-label={label}>
      {labelled && <span className={classes['label']}>{label}</span>}
      {options.map(({ value, text, count, hue }) => {
        const isOn = selected.includes(value);
        return (
          <button
            key={value}
            type="button"
            className={classes['chip']}
            aria-pressed={isOn}
            onClick={() => onChange(isOn ? selected.filter((each) => each !== value) : [...selected, value])}
          >
            {hue !== undefined && (
              <span className={classes['dot']} style={{ background: `var(--secu-dot-${hue})` }} />
            )}
            {text}
            {count !== undefined && <span className={classes['count']}>{count.toLocaleString('en')}</span>}
          </button>
        );
      })}
    </fieldset>
  );
}
