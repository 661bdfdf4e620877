import { Secret } from '../domain/secret.ts';

export const MASK = '[secret]';
const MIN_SECRET_CHARACTERS = 8;
const MAX_SECRETS = 1_000;

/**
 * Texts that look like a credential, from any source. Order matters: whole headers and URLs before the tokens in them.
 * Sources: GitLab docs, "Token overview" (also with a custom prefix), Secu's API keys and webhook secrets.
 */
const PATTERNS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(basic|bearer)(\s+)[A-Za-z0-9+/=._~-]{8,}/gi, `$1$2${MASK}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]+@/gi, `$1${MASK}@`],
  [/([?&](?:private_token|access_token|job_token|token|code)=)[^&\s#"']+/gi, `$1${MASK}`],
  [/(private-token|job-token|deploy-token)("?\s*[:=]\s*"?)[^\s"',;]{8,}/gi, `$1$2${MASK}`],
  [/gl[a-z]+-[0-9A-Za-z_.=-]{16,}/g, MASK],
  [/secu_[0-9A-Za-z_-]{16,}/g, MASK],
  [/whsec_[0-9A-Za-z+/=_-]{16,}/g, MASK],
];

/**
 * Removes secrets from text, wherever they appear: registered values, also encoded (base64
 * at each alignment, so also inside `user:token`; base64url, hex, percent, JSON), and everything of a known shape.
 */
export interface Scrubber {
  /**
   * Removes this value from all later lines. Values under 8 characters are ignored: they would match ordinary words.
   * The last 1,000 registered values are kept.
   */
  registerSecret(value: Secret | string): void;
  scrub(text: string): string;
}

export function createScrubber(): Scrubber {
  const values = new Map<string, readonly string[]>();
  /** Encoded forms by their first characters, so that the cost of a line does not depend on the number of values. */
  const forms = new Map<string, Set<string>>();

  function forget(value: string): void {
    for (const form of values.get(value) ?? []) {
      const start = startOf(form);
      const alike = forms.get(start);
      alike?.delete(form);
      if (alike?.size === 0) forms.delete(start);
    }
    values.delete(value);
  }

  return {
    registerSecret(value) {
      const text = value instanceof Secret ? value.reveal() : value;
      if (text.length < MIN_SECRET_CHARACTERS) return;
      const known = values.get(text) ?? encodedForms(text);
      values.delete(text); // and again as the last
      values.set(text, known);
      for (const form of known) forms.set(startOf(form), (forms.get(startOf(form)) ?? new Set()).add(form));
      const [oldest] = values.keys();
      if (values.size > MAX_SECRETS && oldest !== undefined) forget(oldest);
    },
    scrub: (text) =>
      PATTERNS.reduce((result, [pattern, mask]) => result.replace(pattern, mask), withoutForms(text, forms)),
  };
}

function startOf(form: string): string {
  return form.slice(0, MIN_SECRET_CHARACTERS);
}

function withoutForms(text: string, forms: ReadonlyMap<string, ReadonlySet<string>>): string {
  let result = '';
  let copiedTo = 0;
  for (let at = 0; forms.size > 0 && at + MIN_SECRET_CHARACTERS <= text.length; at += 1) {
    const length = matchAt({ text, at, alike: forms.get(text.slice(at, at + MIN_SECRET_CHARACTERS)) });
    if (length === 0) continue;
    result += text.slice(copiedTo, at) + MASK;
    copiedTo = at + length;
    at = copiedTo - 1;
  }
  return result + text.slice(copiedTo);
}

function matchAt(input: { text: string; at: number; alike: ReadonlySet<string> | undefined }): number {
  const { text, at, alike = [] } = input;
  return Math.max(0, ...[...alike].filter((form) => text.startsWith(form, at)).map((form) => form.length));
}

function encodedForms(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const base64 = [0, 1, 2].map((offset) => base64Core({ bytes, offset }));
  const forms = [
    value,
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(value.toWellFormed()),
    inJson(value),
    inJson(inJson(value)),
  ];
  return forms.filter((form) => form.length >= MIN_SECRET_CHARACTERS);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The base64 characters that depend only on these bytes, when they start at `offset` (mod 3) of the encoded text. */
function base64Core({ bytes, offset }: { bytes: Buffer; offset: number }): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const firstWhole = Math.ceil((offset * 8) / 6);
  const lastWhole = Math.floor(((offset + bytes.length) * 8) / 6);
  return encoded.slice(firstWhole, lastWhole);
}
