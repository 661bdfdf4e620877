/** The text of a field at the moment of sending: what must not stay in a state is read from the form itself. */
export function formField(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value : '';
}
