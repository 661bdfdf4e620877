/** An error answer of the API: `application/problem+json` (RFC 9457). */
export interface ProblemBody {
  title: string;
  detail: string;
  code: string;
  status: number;
  requestId: string;
  errors?: { path: string; message: string }[];
}

/** Thrown for every error answer of the API; its code is `network` if there was no answer. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly requestId: string | null;
  readonly errors: readonly { path: string; message: string }[];
  /** Extension members of the answer, such as `integrationId` or `retryAfter`. */
  readonly details: Record<string, unknown>;

  constructor(body: Omit<ProblemBody, 'requestId'> & { requestId: string | null } & Record<string, unknown>) {
    super(body.detail);
    this.name = 'Problem';
    this.code = body.code;
    this.status = body.status;
    this.title = body.title;
    this.requestId = body.requestId;
    this.errors = body.errors ?? [];
    this.details = body;
  }
}
