import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { WireFault } from './faults.ts';
import type { Reply } from './reply.ts';
import { htmlReply } from './reply.ts';

/** Sends the normal answer, or changes or drops it if a fault applies. */
export async function deliver(options: {
  response: ServerResponse;
  reply: Reply;
  fault: WireFault | null;
}): Promise<void> {
  const { response, reply, fault } = options;
  if (fault === null) return send(response, reply);
  switch (fault.kind) {
    case 'lost_reply':
      return loseReply({ response, reply, how: fault.how ?? 'disconnect' });
    case 'cut':
      return sendCut({ response, reply, afterBytes: fault.afterBytes });
    case 'truncated_json': {
      const body = await collect(reply.body);
      return send(response, { ...reply, body: body.subarray(0, Math.max(1, Math.floor(body.length / 2))) });
    }
    case 'emptied': {
      const body: Record<string, unknown> = JSON.parse((await collect(reply.body)).toString('utf8'));
      return send(response, { ...reply, body: Buffer.from(JSON.stringify({ ...body, [fault.field]: '' })) });
    }
    case 'slow':
      if (fault.delayMs !== undefined) await delay(fault.delayMs, undefined, { ref: false });
      if (fault.bytesPerSecond === undefined) return send(response, reply);
      return send(response, { ...reply, body: Readable.from(trickle(reply.body, fault.bytesPerSecond)) });
  }
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (response.destroyed) {
    if (reply.body instanceof Readable) reply.body.destroy();
    return;
  }
  if (Buffer.isBuffer(reply.body)) {
    const length = reply.status === 204 ? {} : { 'Content-Length': String(reply.body.length) };
    response.writeHead(reply.status, { ...reply.headers, ...length });
    response.end(reply.body);
    return;
  }
  response.writeHead(reply.status, reply.headers);
  await pipeline(reply.body, response);
}

async function loseReply(options: {
  response: ServerResponse;
  reply: Reply;
  how: 'disconnect' | 'bad_gateway' | 'hang';
}) {
  const { response, reply, how } = options;
  if (reply.body instanceof Readable) reply.body.destroy();
  if (how === 'disconnect') response.destroy();
  if (how === 'bad_gateway') await send(response, htmlReply(502, 'GitLab is not responding (502)'));
}

async function sendCut(options: {
  response: ServerResponse;
  reply: Reply;
  afterBytes: number | undefined;
}): Promise<void> {
  const { response, reply } = options;
  if (Buffer.isBuffer(reply.body)) {
    const cutAt = options.afterBytes ?? Math.floor(reply.body.length / 2);
    response.writeHead(reply.status, { ...reply.headers, 'Content-Length': String(reply.body.length) });
    await flush(response, reply.body.subarray(0, Math.min(cutAt, Math.max(0, reply.body.length - 1))));
  } else {
    response.writeHead(reply.status, reply.headers);
    let remaining = options.afterBytes ?? 1_000;
    for await (const chunk of reply.body) {
      const part = Buffer.from(chunk).subarray(0, remaining);
      await flush(response, part);
      remaining -= part.length;
      if (remaining <= 0) break;
    }
    reply.body.destroy();
  }
  response.destroy();
}

function flush(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => response.write(bytes, () => resolve()));
}

async function collect(body: Buffer | Readable): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* trickle(body: Buffer | Readable, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 10));
  for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
    const bytes = Buffer.from(chunk);
    for (let at = 0; at < bytes.length; at += step) {
      yield bytes.subarray(at, at + step);
      await delay(100, undefined, { ref: false });
    }
  }
}
