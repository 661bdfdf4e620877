import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';

import type { FaultAnswer, WireFault } from './faults.ts';
import type { Reply } from './reply.ts';
import { apiError, gitError, htmlReply, jsonReply } from './reply.ts';
import type { World } from './world.ts';

/** Faults that replace the normal answer. */
type Replacing = Exclude<FaultAnswer, WireFault | { kind: 'hang' | 'disconnect' }>;

/** The reply of a fault that replaces the normal answer; the request is not executed. */
export function replacementOf(world: World, answer: Replacing, pathname: string): Reply {
  switch (answer.kind) {
    case 'reply':
      return plainReply(answer);
    case 'case': {
      const reply = answer.of === 'git' ? gitError(world, answer.id) : apiError(world, answer.id);
      return { ...reply, headers: { ...reply.headers, ...answer.headers } };
    }
    case 'html':
      return htmlReply(answer.status, answer.title ?? `GitLab is not responding (${answer.status})`);
    case 'rate_limit':
      return rateLimited(world, answer);
    case 'redirect':
      return { status: answer.status ?? 302, headers: { Location: answer.location }, body: Buffer.alloc(0) };
    case 'git_error':
      return gitErrorPacket(pathname, answer.message);
    case 'endless_pack':
      return {
        status: 200,
        headers: { 'Content-Type': PACK_TYPE },
        body: Readable.from(endlessPack(answer)),
      };
  }
}

const PACK_TYPE = 'application/x-git-upload-pack-result';

function plainReply(answer: Extract<FaultAnswer, { kind: 'reply' }>): Reply {
  if (typeof answer.body !== 'string') {
    const reply = jsonReply(answer.status, answer.body ?? {});
    return { ...reply, headers: { ...reply.headers, ...answer.headers } };
  }
  return {
    status: answer.status,
    headers: { 'Content-Type': 'text/plain', ...answer.headers },
    body: Buffer.from(answer.body),
  };
}

function rateLimited(world: World, answer: Extract<FaultAnswer, { kind: 'rate_limit' }>): Reply {
  const reply = apiError(
    world,
    answer.limiter === 'rack_attack' ? 'throttled_rack_attack' : 'throttled_application',
  );
  const seconds = answer.retryAfterSeconds;
  if (seconds === null) delete reply.headers['Retry-After'];
  else if (seconds !== undefined) reply.headers['Retry-After'] = String(seconds);
  return reply;
}

function gitErrorPacket(pathname: string, message: string | undefined): Reply {
  const text = message ?? 'GitLab is currently unable to handle this request due to load (ID 01J9ZX3T0C).';
  const type = pathname.endsWith('/info/refs') ? 'application/x-git-upload-pack-advertisement' : PACK_TYPE;
  return { status: 200, headers: { 'Content-Type': type }, body: packet(Buffer.from(`ERR ${text}`)) };
}

function packet(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from((content.length + 4).toString(16).padStart(4, '0')), content]);
}

function band(number: 1 | 2, content: Buffer): Buffer {
  return packet(Buffer.concat([Buffer.from([number]), content]));
}

/** A protocol v2 answer to a fetch, with an endless pack. */
async function* endlessPack(options: { bytesPerSecond?: number | undefined; data?: boolean | undefined }) {
  yield packet(Buffer.from('packfile\n'));
  const objects = 1_000_000;
  if (options.data === true) {
    const head = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
    head.writeUInt32BE(objects, 8);
    yield band(1, head);
  }
  const bytesPerSecond = options.bytesPerSecond ?? 2_000;
  const chunkBytes = Math.max(16, Math.min(60_000, Math.floor(bytesPerSecond / 10)));
  for (let count = 0; count < objects; count += 1) {
    const chunk =
      options.data === true
        ? band(1, randomBlob(chunkBytes))
        : band(2, Buffer.from(`Counting objects: ${String(count).padStart(chunkBytes - 20)}\r`));
    yield chunk;
    await delay((chunk.length / bytesPerSecond) * 1000, undefined, { ref: false });
  }
}

function randomBlob(bytes: number): Buffer {
  const header = [0x30 | (bytes & 0x0f) | (bytes > 0x0f ? 0x80 : 0)];
  for (let rest = bytes >> 4; rest > 0; rest >>= 7) header.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.from(header), deflateSync(randomBytes(bytes), { level: 0 })]);
}
