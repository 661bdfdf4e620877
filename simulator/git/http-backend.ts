import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';

import type { Reply } from '../reply.ts';
import { gitEnvironment } from './run.ts';

type BackendRequest = {
  method: string;
  /** Folder that contains `repository`. */
  root: string;
  repository: string;
  service: 'info/refs' | 'git-upload-pack';
  query: string;
  contentType: string;
  /** The client's `Git-Protocol` header. */
  protocol: string | undefined;
  body: Buffer;
};

/** The path of git's CGI program. @throws Error when git is not installed */
export function findHttpBackend(): string {
  return join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend');
}

/**
 * Answers with the real `git http-backend`, as a CGI program (RFC 3875).
 * @throws Error when it cannot be started or ends before its headers are complete
 */
export async function runHttpBackend(program: string, request: BackendRequest): Promise<Reply> {
  const child = spawn(program, [], {
    env: {
      ...gitEnvironment(request.root),
      GIT_PROJECT_ROOT: request.root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${request.repository}/${request.service}`,
      REQUEST_METHOD: request.method,
      QUERY_STRING: request.query,
      CONTENT_TYPE: request.contentType,
      CONTENT_LENGTH: String(request.body.length),
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'simulator',
      ...(request.protocol === undefined ? {} : { GIT_PROTOCOL: request.protocol }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  child.stdin.on('error', ignoreClosedPipe);
  child.stdin.end(request.body);
  // If the client disconnects, git stops building the pack.
  child.stdout.once('close', () => child.kill());
  const { head, rest } = await Promise.race([readHead(child.stdout), failed]);
  child.stdout.unshift(rest);
  // Node discards the output of an ended process if there is no reader yet, so a late answer would be lost.
  const body = child.stdout.pipe(new PassThrough());
  body.once('close', () => child.stdout.destroy());
  return { ...parseHead(head), body };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
}

async function readHead(stream: Readable): Promise<{ head: string; rest: Buffer }> {
  let received = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const onEnd = () => reject(new Error('git http-backend ended without headers'));
    const onReadable = () => {
      for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) {
        if (!Buffer.isBuffer(chunk)) continue;
        received = Buffer.concat([received, chunk]);
        const end = received.indexOf('\r\n\r\n');
        if (end === -1) continue;
        stream.off('readable', onReadable);
        stream.off('end', onEnd);
        resolve({ head: received.subarray(0, end).toString(), rest: received.subarray(end + 4) });
        return;
      }
    };
    stream.on('readable', onReadable);
    stream.once('end', onEnd);
  });
}

function parseHead(head: string): { status: number; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}
