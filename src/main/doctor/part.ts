/** One line of `secu doctor`. */
export interface DoctorPart {
  readonly part: string;
  readonly version: string | null;
  /** The source: `embedded`, `configured`, `path`, `release`, `go`, `machine`, an address. */
  readonly source: string | null;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to do when the status is not `ok`. */
  readonly advice: string | null;
}

/** A part with status `ok`, changed by `facts`. */
export function part(name: string, facts: Partial<DoctorPart>): DoctorPart {
  return { part: name, version: null, source: null, status: 'ok', detail: '', advice: null, ...facts };
}
