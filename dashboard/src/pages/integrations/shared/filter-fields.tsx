import { Checkbox, Textarea } from '@mantine/core';
import { formField } from '../../../parts/form-field.ts';
import type { Integration } from '../data.ts';
import { parseLines } from '../new/dry-run-text.ts';
import classes from './filter-fields.module.css';

type Filters = Integration['filters'];

export const DEFAULT_FILTERS: Filters = {
  include: [],
  exclude: [],
  archived: false,
  forks: true,
  personal: true,
};

/** Which of the repositories that a token reaches are scanned. The fields are read by {@link readFilters}. */
export function FilterFields({ filters, disabled = false }: { filters: Filters; disabled?: boolean }) {
  return (
    <div className={classes['fields']}>
      <Textarea
        size="xs"
        name="include"
        label="Only these"
        description="One pattern a line, such as acme/**. Empty: all."
        placeholder="acme/**"
        defaultValue={filters.include.join('\n')}
        rows={3}
        disabled={disabled}
        spellCheck={false}
      />
      <Textarea
        size="xs"
        name="exclude"
        label="Not these"
        description="Wins over the patterns above. * and ? stop at a slash, ** does not."
        placeholder="acme/sandbox/**"
        defaultValue={filters.exclude.join('\n')}
        rows={3}
        disabled={disabled}
        spellCheck={false}
      />
      <div className={classes['kinds']}>
        <Checkbox
          size="xs"
          name="archived"
          label="Archived ones"
          defaultChecked={filters.archived}
          disabled={disabled}
        />
        <Checkbox size="xs" name="forks" label="Forks" defaultChecked={filters.forks} disabled={disabled} />
        <Checkbox
          size="xs"
          name="personal"
          label="In personal namespaces"
          defaultChecked={filters.personal}
          disabled={disabled}
        />
      </div>
    </div>
  );
}

export function readFilters(form: HTMLFormElement): Filters {
  return {
    include: parseLines(formField(form, 'include')),
    exclude: parseLines(formField(form, 'exclude')),
    archived: formField(form, 'archived') === 'on',
    forks: formField(form, 'forks') === 'on',
    personal: formField(form, 'personal') === 'on',
  };
}
