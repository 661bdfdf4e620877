import type { z } from 'zod';
import { SecuError } from '../domain/errors.ts';

/**
 * Parses an answer. The error names the invalid field, not its value.
 * @throws SecuError `gitlab_reply_unreadable`
 */
export function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const fields = [...new Set(result.error.issues.map(fieldOf))].slice(0, 5);
  throw unreadableReply(`these fields are missing or of another type: ${fields.join(', ')}`);
}

export function fieldOf(issue: { path: readonly PropertyKey[] }): string {
  return issue.path.map(String).join('.') || 'the whole';
}

export function unreadableReply(problem: string): SecuError {
  return new SecuError('gitlab_reply_unreadable', `GitLab's answer cannot be used: ${problem}`, {
    details: { problem: 'unexpected_shape' },
  });
}
