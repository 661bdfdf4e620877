import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** One service of `docker-compose.yml`, in the notation that our file uses. */
const Service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string() }).optional(),
  pull_policy: z.literal('never').optional(),
  user: z.string(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  ports: z
    .array(z.strictObject({ target: z.number(), published: z.string(), host_ip: z.string() }))
    .default([]),
  networks: z.array(z.string()),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  healthcheck: z
    .union([
      z.strictObject({
        test: z.array(z.string()),
        interval: z.string(),
        timeout: z.string(),
        retries: z.number(),
        start_period: z.string(),
      }),
      // switches off the check of the image
      z.strictObject({ disable: z.literal(true) }).transform(() => undefined),
    ])
    .optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
  restart: z.string(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  read_only: z.boolean(),
  ulimits: z.strictObject({ core: z.literal(0) }),
  logging: z.unknown(),
  shm_size: z.string().optional(),
  stop_signal: z.string().optional(),
  stop_grace_period: z.string().optional(),
  deploy: z.strictObject({
    replicas: z.string().optional(),
    resources: z.strictObject({
      limits: z.strictObject({ cpus: z.string(), memory: z.string(), pids: z.number() }),
    }),
  }),
});
export type Service = z.infer<typeof Service>;

const Compose = z.object({
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
  networks: z.record(z.string(), z.strictObject({ internal: z.literal(true) }).nullable()),
});

/** A path relative to the project root. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export function readCompose(): z.infer<typeof Compose> {
  return Compose.parse(parse(readFileSync(projectFile('docker-compose.yml'), 'utf8'), { merge: true }));
}

/**
 * Replaces `${NAME:-default}` and `${NAME:?message}` like compose does; `$$` is a dollar sign.
 * @throws Error with the message of the file for a missing value
 */
export function interpolate(text: string, env: Readonly<Record<string, string>> = {}): string {
  return text.replace(/\$(?:(\$)|\{([A-Z_]+):([-?])([^}]*)\})/g, (_all, dollar, name, kind, rest): string => {
    if (dollar !== undefined) return '$';
    const value = env[name] ?? '';
    if (value === '' && kind === '?') throw new Error(`${name}: ${rest}`);
    return value === '' ? rest : value;
  });
}
