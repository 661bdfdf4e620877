import { escapeForeignText } from '../domain/finding.ts';

export const MAX_EXCERPT_CHARACTERS = 200;
const CONTEXT_CHARACTERS = 60;
/** Wide enough that no visible character can belong to a secret that begins or ends outside the window. */
const WINDOW_BYTES = 1_500;
const CHUNK_BYTES = 64;
export const MASK = '************';
const MIN_CHARACTERS_TO_SHOW_ANY = 16;
const SHOWN_CHARACTERS = 4;
const IN_WORD = bytesLike(/[\w-]/);
const IN_WORD_OR_BEHIND = bytesLike(/[\w+/=-]/);
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The start of a match: lines count from 1, columns are bytes. */
export interface Place {
  startLine: number;
  startColumn: number;
}

/** The position of a secret, as gitleaks reports it. */
export interface Hit extends Place {
  secret: string;
  endLine: number;
  endColumn: number;
  /** gitleaks decoded the secret (Base64, hex), so the line holds it in another form. */
  isDecoded: boolean;
  /** No character of the secret is shown. */
  isKey: boolean;
}

/** Bytes of a line to mask, except the first `shown` characters. */
interface Masked {
  from: number;
  to: number;
  shown: number;
}

/** The lines of a text, by number from 1, without line ends. */
export function linesOf(content: Buffer): (number: number) => Buffer | null {
  const starts = [0];
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, at + 1))
    starts.push(at + 1);
  return (number) => {
    const start = starts[number - 1];
    if (start === undefined) return null;
    const line = content.subarray(start, (starts[number] ?? content.length + 1) - 1);
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  };
}

/**
 * The line of a match with every secret masked, cut at 200 characters, with control and direction characters
 * escaped. The first four characters of a secret of 16 or more are shown, unless it is a key. If a match cannot be
 * located on the line, the whole line is masked.
 */
export function excerptOf(input: {
  hit: Hit | Place;
  line: Buffer | null;
  hitsOnLine: readonly Hit[];
}): string {
  const { hit, line, hitsOnLine } = input;
  if (line === null) return MASK;
  const own = 'secret' in hit ? rangesOn({ line, number: hit.startLine, hit }) : [];
  const center = own[0]?.from ?? Math.min(line.length, Math.max(0, hit.startColumn - 1));
  const start = boundary(line, center - WINDOW_BYTES);
  const end = boundary(line, center + WINDOW_BYTES);
  const near = hitsOnLine.filter(
    (other) => other === hit || isNear({ other, number: hit.startLine, start, end }),
  );
  const secrets = new Set(near.filter(({ isDecoded }) => !isDecoded));
  const window = line.subarray(start, end);
  const ranges = [
    ...near.flatMap((other) => rangesOn({ line, number: hit.startLine, hit: other })),
    ...[...secrets].flatMap((other) => occurrences({ window, offset: start, hit: other })),
  ];
  const visible = merged(ranges).filter(({ from, to }) => to > start && from < end);
  const masked = merged(visible.map((range) => widened({ line, range, start, end })));
  return cut({ line, start, end, masked, center });
}

/** The bytes of a match on one of its lines. */
function rangesOn({ line, number, hit }: { line: Buffer; number: number; hit: Hit }): Masked[] {
  if (number < hit.startLine || number > hit.endLine) return [];
  // From the second line of a text on, gitleaks counts columns from the previous line break, so they are one higher.
  const from = number === hit.startLine ? Math.min(line.length, Math.max(0, hit.startColumn - 2)) : 0;
  const to = number === hit.endLine ? Math.min(line.length, Math.max(from, hit.endColumn)) : line.length;
  const everything = { from, to, shown: 0 };
  if (hit.isDecoded || hit.secret.includes('\ufffd')) return [everything];
  const pieces = piecesOf(hit.secret);
  const isWhole = pieces.length === 1;
  const found = pieces.flatMap((piece) => {
    const at = line.subarray(from, to).indexOf(piece);
    if (at === -1) return [];
    return [{ from: from + at, to: from + at + piece.length, shown: isWhole ? shownOf(hit) : 0 }];
  });
  return found.length === 0 && hit.startLine === hit.endLine ? [everything] : found;
}

/** Other occurrences of the same secret, and of parts of a long one. */
function occurrences({ window, offset, hit }: { window: Buffer; offset: number; hit: Hit }): Masked[] {
  const found: Masked[] = [];
  const pieces = piecesOf(hit.secret);
  for (const piece of pieces) {
    const shown = pieces.length === 1 ? shownOf(hit) : 0;
    for (let at = window.indexOf(piece); at !== -1; at = window.indexOf(piece, at + piece.length))
      found.push({ from: offset + at, to: offset + at + piece.length, shown });
    for (let chunk = 0; piece.length > CHUNK_BYTES && chunk < piece.length; chunk += CHUNK_BYTES) {
      const part = piece.subarray(chunk, chunk + CHUNK_BYTES);
      for (let at = window.indexOf(part); at !== -1; at = window.indexOf(part, at + part.length))
        found.push({ from: offset + at, to: offset + at + part.length, shown: 0 });
    }
  }
  return found;
}

function piecesOf(secret: string): Buffer[] {
  const lines = secret.split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line));
}

function shownOf({ secret, isKey }: Hit): number {
  return isKey || Array.from(secret).length < MIN_CHARACTERS_TO_SHOW_ANY ? 0 : SHOWN_CHARACTERS;
}

function isNear(input: { other: Hit; number: number; start: number; end: number }): boolean {
  const { other, number, start, end } = input;
  if (number < other.startLine || number > other.endLine) return false;
  const from = number === other.startLine ? other.startColumn - 2 : 0;
  const to = number === other.endLine ? other.endColumn : Number.POSITIVE_INFINITY;
  return to > start && from < end;
}

/**
 * Extends a match to the whole word around it, but not beyond the window, because a word may be megabytes long.
 */
function widened(input: { line: Buffer; range: Masked; start: number; end: number }): Masked {
  const { line, range, start, end } = input;
  let { from, to } = range;
  while (from > start && IN_WORD[line[from - 1] ?? 0] === 1) from -= 1;
  while (to < end && IN_WORD_OR_BEHIND[line[to] ?? 0] === 1) to += 1;
  return { from, to, shown: from === range.from ? range.shown : 0 };
}

/** A lookup table by byte: 1 if the pattern matches. */
function bytesLike(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (pattern.test(String.fromCharCode(byte)) ? 1 : 0));
}

/** Merges overlapping ranges; characters stay visible only if the ranges are equal. */
function merged(ranges: readonly Masked[]): Masked[] {
  const result: Masked[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const last = result.at(-1);
    if (last === undefined || range.from >= last.to) {
      result.push({ ...range });
      continue;
    }
    const isSame = range.from === last.from && range.to === last.to;
    last.shown = isSame ? Math.min(last.shown, range.shown) : 0;
    last.to = Math.max(last.to, range.to);
  }
  return result;
}

/** The visible part of the line: some context before the match, the match, and as much after it as fits. */
function cut(input: {
  line: Buffer;
  start: number;
  end: number;
  masked: readonly Masked[];
  center: number;
}): string {
  const { line, start, end, masked, center } = input;
  const before: string[] = [];
  const after: string[] = [];
  let at = start;
  const add = (text: string, position: number) =>
    (position < center ? before : after).push(...Array.from(text));
  const addText = (from: number, to: number) => {
    if (to > from) add(escapeForeignText(line.toString('utf8', from, to)), from);
  };
  for (const { from, to, shown } of masked) {
    addText(at, from);
    const head = Array.from(line.toString('utf8', Math.max(from, start), to)).slice(0, shown);
    add(`${escapeForeignText(head.join(''))}${MASK}`, from);
    at = to;
  }
  addText(at, end);
  const context = before.join('').trimStart();
  const lead = Array.from(context);
  const total = lead.length + after.length;
  if (total <= MAX_EXCERPT_CHARACTERS && start === 0 && end === line.length)
    return [...lead, ...after].join('').trimEnd();
  const shortened = lead.length > CONTEXT_CHARACTERS ? ['…', ...lead.slice(-CONTEXT_CHARACTERS)] : lead;
  const whole = [...shortened, ...after];
  return whole.length <= MAX_EXCERPT_CHARACTERS
    ? whole.join('')
    : [...whole.slice(0, MAX_EXCERPT_CHARACTERS - 1), '…'].join('');
}

/** The nearest position at or before this one that is not inside a character. @see RFC 3629, section 3 */
function boundary(line: Buffer, at: number): number {
  let place = Math.min(line.length, Math.max(0, at));
  while (place > 0 && place < line.length && ((line[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}
