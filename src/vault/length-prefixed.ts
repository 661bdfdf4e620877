/**
 * Encodes fields unambiguously: each field follows its length (4 bytes, big endian), so that `ab`+`c` and `a`+`bc`
 * differ.
 */
export function lengthPrefixed(fields: readonly string[]): Buffer {
  const parts = fields.flatMap((field) => {
    const text = Buffer.from(field, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    return [length, text];
  });
  return Buffer.concat(parts);
}
