import { z } from 'zod';
import type { Parser } from './code-files.ts';
import type { ParserLibrary } from './find.ts';
import type { CodeRule } from './rule.ts';

export type EngineRule = Pick<CodeRule, 'rule' | 'constraints' | 'utils' | 'narrow'>;

/** The first line of the engine's input. */
export interface EngineHead {
  parsers: Record<string, ParserLibrary>;
  rules: readonly EngineRule[];
}

/** Precedes the bytes of each file. */
export interface EngineFile {
  parser: Parser;
  /** Indices of the rules to search for. */
  rules: readonly number[];
  bytes: number;
}

const line = z.int().min(1);
const byte = z.int().min(0);

/** The engine writes one line for each file. Lines count from 1, bytes within a line from 0. */
export const EngineAnswer = z.object({
  /** Most of the file is not in the language. The rest was searched. */
  unparsable: z.boolean(),
  /** There were more matches than `found` holds. */
  hasMore: z.boolean(),
  found: z.array(
    z.object({
      rule: z.int().min(0),
      startLine: line,
      endLine: line,
      startByte: byte,
      match: z.string(),
      secrets: z.array(
        z.object({ secret: z.string(), startLine: line, endLine: line, startByte: byte, endByte: byte }),
      ),
    }),
  ),
});
export type EngineAnswer = z.infer<typeof EngineAnswer>;
