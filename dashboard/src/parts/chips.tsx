import classes from './chips.module.css';

/** Values of a filter that can be switched on, several at a time; none switched on means all. */
export function Chips<T extends string>({
  label,
  options,
  chosen,
  onChange,
}: {
  label: string;
  options: readonly { value: T; text: string; count?: number }[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}) {
  return (
    <fieldset className={classes['chips']} aria-label={label}>
      {options.map(({ value, text, count }) => {
        const on = chosen.includes(value);
        return (
          <button
            key={value}
            type="button"
            className={classes['chip']}
            aria-pressed={on}
            onClick={() => onChange(on ? chosen.filter((each) => each !== value) : [...chosen, value])}
          >
            {text}
            {count !== undefined && <span className={classes['count']}>{count.toLocaleString('en')}</span>}
          </button>
        );
      })}
    </fieldset>
  );
}
