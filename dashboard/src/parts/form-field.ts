/** The current text of a field. Secrets are read from the form on submit, so that they are never kept in state. */
export function formField(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value : '';
}
