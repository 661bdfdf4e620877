const SAMPLE_BYTES = 4_096;
const MIN_SAMPLE_BYTES = 8;
const MIN_SHARE_OF_ASCII = 0.6;

export type WideEncoding = 'utf-16le' | 'utf-16be';

/**
 * The encoding of a text in UTF-16, by its mark or, without one, by the zero bytes that every second byte of English
 * text is then; `null` for everything else. Scanners see nothing in such a file until it is decoded.
 */
export function wideEncodingOf(content: Buffer): WideEncoding | null {
  const [first, second, third, fourth] = content;
  if (first === 0xff && second === 0xfe && !(third === 0 && fourth === 0)) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const sample = content.subarray(0, Math.min(content.length, SAMPLE_BYTES) & ~1);
  if (sample.length < MIN_SAMPLE_BYTES || !sample.includes(0)) return null;
  let [little, big] = [0, 0];
  for (let at = 0; at < sample.length; at += 2) {
    const [low = 0, high = 0] = sample.subarray(at, at + 2);
    if (high === 0 && isText(low)) little += 1;
    if (low === 0 && isText(high)) big += 1;
  }
  const needed = (sample.length / 2) * MIN_SHARE_OF_ASCII;
  if (little >= needed) return 'utf-16le';
  return big >= needed ? 'utf-16be' : null;
}

/** The same text in UTF-8, line for line. */
export function decodeWide(content: Buffer, encoding: WideEncoding): Buffer {
  return Buffer.from(new TextDecoder(encoding).decode(content));
}

function isText(code: number): boolean {
  return (code >= 0x20 && code < 0x7f) || code === 0x09 || code === 0x0a || code === 0x0d;
}
