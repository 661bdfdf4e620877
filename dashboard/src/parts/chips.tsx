import type { Hue } from '../theme/tokens.ts';
import classes from './chips.module.css';

/** Values of a filter that can be switched on, several at a time; none switched on means all. */
export function Chips<T extends string>({
  label,
  options,
  chosen,
  onChange,
  labelled = false,
}: {
  label: string;
  options: readonly { value: T; text: string; count?: number | undefined; hue?: Hue }[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
  /** Shows the label, where a page has more than one filter. */
  labelled?: boolean;
}) {
  return (
    <fieldset className={classes['chips']} aria-label={label}>
      {labelled && <span className={classes['label']}>{label}</span>}
      {options.map(({ value, text, count, hue }) => {
        const on = chosen.includes(value);
        return (
          <button
            key={value}
            type="button"
            className={classes['chip']}
            aria-pressed={on}
            onClick={() => onChange(on ? chosen.filter((each) => each !== value) : [...chosen, value])}
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
