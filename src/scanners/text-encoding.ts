import { isUtf8 } from 'node:buffer';

/**
 * The original encoding of a file. Scanners read UTF-8 with LF or CRLF line ends; everything else is decoded for
 * them. `embedded`: UTF-16 text inside a file of another kind.
 */
export const SOURCE_ENCODINGS = [
  'utf-8-bom',
  'utf-16le',
  'utf-16be',
  'utf-32le',
  'utf-32be',
  'latin-1',
  'cr-lines',
  'embedded',
] as const;
export type SourceEncoding = (typeof SOURCE_ENCODINGS)[number];

const SAMPLE_BYTES = 4_096;
const MIN_SAMPLE_BYTES = 8;
const MIN_ASCII_SHARE = 0.6;
/** Share of ASCII in a sample that decodes without a control, private or unassigned character. */
const MIN_ASCII_SHARE_OF_TEXT = 0.05;
const MIN_TEXT_SAMPLE_BYTES = 32;
/** An ASCII file with a few zero bytes is not UTF-16 or UTF-32. */
const MAX_ASCII_BYTES_SHARE = 0.75;
/** A file with control characters and fewer ASCII characters is binary. */
const MIN_ASCII_SHARE_WITH_CONTROLS = 0.9;
const UTF8_MARK = Buffer.from('\ufeff');
const NOT_TEXT = /[\p{Cc}\p{Cn}\p{Co}\p{Cs}]/u;
const ALLOWED_CONTROLS = /[\t\n\r\f\ufeff]/g;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** Four ASCII characters in UTF-16 or UTF-32, in either byte order. */
const EMBEDDED = /[\x20-\x7e]\0{1,3}[\x20-\x7e]\0{1,3}[\x20-\x7e]\0{1,3}[\x20-\x7e]/;

/** The encoding to decode a file from; `null` if scanners can read it unchanged. */
export function sourceEncodingOf(content: Buffer): SourceEncoding | null {
  const marked = encodingByMark(content);
  if (marked !== null) return marked;
  if (content.includes(0)) return encodingByZeroBytes(content) ?? encodingByLineEnds(content);
  if (!isUtf8(content)) return isTextInOneByteEncoding(content) ? 'latin-1' : encodingByLineEnds(content);
  // a mark in the middle: files with marks were joined
  if (content.includes(UTF8_MARK)) return 'utf-8-bom';
  return hasLoneCarriageReturn(content) ? 'cr-lines' : null;
}

/** For text with a few control characters: only its line ends may need decoding. */
function encodingByLineEnds(content: Buffer): SourceEncoding | null {
  if (!hasLoneCarriageReturn(content) || !isMostlyText(content)) return null;
  return isUtf8(content) ? 'cr-lines' : 'latin-1';
}

function isMostlyText(content: Buffer): boolean {
  const sample = content.subarray(0, SAMPLE_BYTES);
  const ascii = sample.reduce((count, byte) => count + (isAsciiText(byte) ? 1 : 0), 0);
  return ascii >= sample.length * MIN_ASCII_SHARE_WITH_CONTROLS;
}

/** Whether the decoded copy holds everything in the file, so that the file itself need not be read too. */
export function replacesOriginal({
  content,
  encoding,
}: {
  content: Buffer;
  encoding: SourceEncoding;
}): boolean {
  if (encoding === 'utf-8-bom' || encoding === 'latin-1')
    return !hasLoneCarriageReturn(content) || isCrOnly(content);
  return encoding === 'cr-lines' && isCrOnly(content);
}

/** Decodes to UTF-8 with LF line ends. `isComplete` is false if some bytes are invalid in the encoding. */
export function decodeSource(
  content: Buffer,
  encoding: SourceEncoding,
): { text: Buffer; isComplete: boolean } {
  const decoded = decode(content, encoding);
  return {
    text: Buffer.from(decoded.replaceAll('\ufeff', '').replace(/\r(?!\n)/g, '\n')),
    isComplete: encoding === 'embedded' || !decoded.includes('\ufffd') || content.includes('\ufffd'),
  };
}

/** The line of the file, as git counts lines, that holds this line of the decoded text. */
export function originalLine(input: { content: Buffer; encoding: SourceEncoding; line: number }): number {
  const text = decode(input.content, input.encoding);
  let decodedLine = 1;
  let line = 1;
  for (const [end] of text.matchAll(/\r\n|\n|\r/g)) {
    if (decodedLine >= input.line) break;
    decodedLine += 1;
    if (end.includes('\n')) line += 1;
  }
  return line;
}

/** Text in EBCDIC, which is not decoded. @see IBM code page 037 */
export function isUnsupportedText(content: Buffer): boolean {
  const sample = content.subarray(0, SAMPLE_BYTES);
  if (sample.length < MIN_SAMPLE_BYTES || isUtf8(sample)) return false;
  let ebcdic = 0;
  let ascii = 0;
  for (const byte of sample) {
    if (isEbcdicText(byte)) ebcdic += 1;
    if (isAsciiText(byte) && byte !== 0x40) ascii += 1;
  }
  return ebcdic > sample.length * 0.9 && ascii < sample.length * 0.3;
}

function encodingByMark(content: Buffer): SourceEncoding | null {
  const [first, second, third, fourth] = content;
  if (first === 0xff && second === 0xfe && third === 0 && fourth === 0 && content.length % 4 === 0)
    return 'utf-32le';
  if (first === 0 && second === 0 && third === 0xfe && fourth === 0xff) return 'utf-32be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8-bom' : null;
}

function encodingByZeroBytes(content: Buffer): SourceEncoding | null {
  const sample = content.subarray(0, Math.min(content.length, SAMPLE_BYTES) & ~3);
  if (sample.length >= MIN_SAMPLE_BYTES && sample.includes(0)) {
    for (const encoding of ['utf-32le', 'utf-32be', 'utf-16le', 'utf-16be'] as const)
      if (looksLike(sample, encoding)) return encoding;
  }
  return EMBEDDED.test(content.toString('latin1')) ? 'embedded' : null;
}

type WideEncoding = 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

function looksLike(sample: Buffer, encoding: WideEncoding): boolean {
  const width = encoding.startsWith('utf-32') ? 4 : 2;
  const low = encoding.endsWith('le') ? 0 : width - 1;
  let ascii = 0;
  for (let at = 0; at < sample.length; at += width) {
    const unit = sample.subarray(at, at + width);
    if (isAsciiText(unit[low] ?? 0) && unit.every((byte, index) => index === low || byte === 0)) ascii += 1;
  }
  const units = sample.length / width;
  if (ascii >= units * MIN_ASCII_SHARE) return true;
  if (sample.length < MIN_TEXT_SAMPLE_BYTES || ascii < units * MIN_ASCII_SHARE_OF_TEXT) return false;
  const asciiBytes = sample.reduce((count, byte) => count + (isAsciiText(byte) ? 1 : 0), 0);
  if (asciiBytes > sample.length * MAX_ASCII_BYTES_SHARE) return false;
  const text = decode(sample, encoding).replace(ALLOWED_CONTROLS, '').slice(0, -1);
  return !text.includes('\ufffd') && !NOT_TEXT.test(text);
}

function decode(content: Buffer, encoding: SourceEncoding): string {
  switch (encoding) {
    case 'utf-16le':
    case 'utf-16be':
      return new TextDecoder(encoding).decode(content);
    case 'utf-32le':
    case 'utf-32be':
      return decodeUtf32(content, encoding);
    case 'latin-1':
      return new TextDecoder('windows-1252').decode(content);
    case 'embedded':
      return new TextDecoder().decode(content.filter((byte) => byte !== 0));
    case 'utf-8-bom':
    case 'cr-lines':
      return new TextDecoder().decode(content);
  }
}

const MAX_CODE_POINT = 0x10ffff;

function decodeUtf32(content: Buffer, encoding: 'utf-32le' | 'utf-32be'): string {
  const characters: string[] = [];
  for (let at = 0; at + 4 <= content.length; at += 4) {
    const code = encoding === 'utf-32le' ? content.readUInt32LE(at) : content.readUInt32BE(at);
    const isCharacter = code <= MAX_CODE_POINT && (code < 0xd800 || code > 0xdfff);
    if (at > 0 || code !== 0xfeff) characters.push(isCharacter ? String.fromCodePoint(code) : '\ufffd');
  }
  if (content.length % 4 !== 0) characters.push('\ufffd');
  return characters.join('');
}

function isTextInOneByteEncoding(content: Buffer): boolean {
  return content.every((byte) => byte >= 0x20 || isAsciiText(byte) || byte === 0x0c || byte === 0x1b);
}

function hasLoneCarriageReturn(content: Buffer): boolean {
  for (let at = content.indexOf(CARRIAGE_RETURN); at !== -1; at = content.indexOf(CARRIAGE_RETURN, at + 1))
    if (content[at + 1] !== LINE_FEED) return true;
  return false;
}

function isCrOnly(content: Buffer): boolean {
  return !content.includes(LINE_FEED);
}

function isAsciiText(code: number): boolean {
  return (code >= 0x20 && code < 0x7f) || code === 0x09 || code === LINE_FEED || code === CARRIAGE_RETURN;
}

/** Letters, digits, space, line ends and the common punctuation of code page 037. */
function isEbcdicText(byte: number): boolean {
  if (byte === 0x40 || byte === 0x15 || byte === 0x25 || byte === 0x05 || byte === CARRIAGE_RETURN)
    return true;
  if (byte >= 0xf0 && byte <= 0xf9) return true;
  const half = byte & 0x0f;
  if (byte >= 0x81 && byte <= 0xa9) return half >= 1 && half <= 9;
  if (byte >= 0xc1 && byte <= 0xe9) return half >= 1 && half <= 9;
  return (byte >= 0x4a && byte <= 0x50) || (byte >= 0x5a && byte <= 0x61) || (byte >= 0x6b && byte <= 0x7f);
}
