// Plain JavaScript without dependencies: the launcher uses it before anything is installed.
import { createHash } from 'node:crypto';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { gunzipSync } from 'node:zlib';

const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 20_000;
const MAX_REDIRECTS = 5;
const MAX_BYTES = 256 * 1024 * 1024;

/** The checksum is wrong: never a reason to try another source. */
export class ChecksumError extends Error {
  /** @param {{ url: string, expected: string, actual: string }} facts */
  constructor({ url, expected, actual }) {
    super(`${url} has sha256 ${actual}, but ${expected} is pinned: nothing was unpacked`);
    this.name = 'ChecksumError';
  }
}

/**
 * Downloads a whole file and checks its checksum before the content is used.
 * @param {{ url: string, sha256: string, connectTimeoutMs?: number | undefined }} options
 * @returns {Promise<Buffer>}
 * @throws {ChecksumError}
 */
export async function download({ url, sha256, connectTimeoutMs = CONNECT_TIMEOUT_MS }) {
  const body = await fetchBytes(new URL(url), { connectTimeoutMs, redirectsLeft: MAX_REDIRECTS });
  const actual = createHash('sha256').update(body).digest('hex');
  if (actual !== sha256) throw new ChecksumError({ url, expected: sha256, actual });
  return body;
}

/**
 * The content of one regular file of a .tar.gz archive.
 * @param {Buffer} archive @param {string} entry
 * @returns {Buffer}
 * @see tar(5), "POSIX ustar Archives": 512-byte headers, name at 0, size in octal at 124, type at 156
 */
export function readTarEntry(archive, entry) {
  const tar = gunzipSync(archive);
  for (let offset = 0; offset + 512 <= tar.length; ) {
    const name = readText(tar, offset, 100).replace(/^\.\//, '');
    if (name === '') break;
    const bytes = Number.parseInt(readText(tar, offset + 124, 12).trim(), 8);
    if (!Number.isSafeInteger(bytes)) throw new Error('the archive is damaged');
    const type = String.fromCharCode(tar[offset + 156] ?? 0);
    if (name === entry && (type === '0' || type === '\0'))
      return tar.subarray(offset + 512, offset + 512 + bytes);
    offset += 512 + Math.ceil(bytes / 512) * 512;
  }
  throw new Error(`the archive has no file "${entry}"`);
}

/** @param {Buffer} buffer @param {number} offset @param {number} length */
function readText(buffer, offset, length) {
  const field = buffer.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}

/**
 * @param {URL} url
 * @param {{ connectTimeoutMs: number, redirectsLeft: number }} options
 * @returns {Promise<Buffer>}
 */
function fetchBytes(url, { connectTimeoutMs, redirectsLeft }) {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const request = (secure ? httpsGet : httpGet)(url, { headers: { 'user-agent': 'secu-tools' } });
    const connecting = setTimeout(
      () => request.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`)),
      connectTimeoutMs,
    );
    request.on('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    request.setTimeout(SILENCE_TIMEOUT_MS, () =>
      request.destroy(new Error(`nothing came for ${SILENCE_TIMEOUT_MS / 1000} s`)),
    );
    request.on('error', (err) => {
      clearTimeout(connecting);
      reject(new Error(describeNetworkError(err), { cause: err }));
    });
    request.on('response', (response) => {
      clearTimeout(connecting);
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if (status >= 300 && status < 400 && location !== undefined) {
        response.resume();
        const next = new URL(location, url);
        if (redirectsLeft === 0) return reject(new Error('too many redirects'));
        if (secure && next.protocol !== 'https:') return reject(new Error('redirected away from https'));
        return resolve(fetchBytes(next, { connectTimeoutMs, redirectsLeft: redirectsLeft - 1 }));
      }
      if (status !== 200) {
        response.resume();
        return reject(new Error(`answered ${status}`));
      }
      resolve(readBody(response));
    });
  });
}

/** @param {import('node:http').IncomingMessage} response @returns {Promise<Buffer>} */
async function readBody(response) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @param {Error} err If several addresses all fail, Node throws one error without a message. */
function describeNetworkError(err) {
  if (err.message !== '') return err.message;
  return err instanceof AggregateError ? err.errors.map((each) => each.message).join('; ') : err.name;
}
