import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { isSystemError } from '../../domain/system-error.ts';

const LANGUAGES = ['python', 'go', 'java', 'yaml'] as const;

/** A language that ast-grep does not include. @see @ast-grep/napi, `registerDynamicLanguage` */
export interface ParserLibrary {
  libraryPath: string;
  extensions: string[];
  languageSymbol: string;
  /** Replaces `$` in patterns if the language does not allow it in names. */
  expandoChar: string;
}

export interface AstGrep {
  version: string;
  /** The native module of ast-grep. */
  bindingPath: string;
  parsers: Record<(typeof LANGUAGES)[number], ParserLibrary>;
  /** Versions of all parts, in a fixed order. */
  parts: string[];
}

const Manifest = z.object({ version: z.string(), main: z.string() });
const Language = z.object({
  extensions: z.array(z.string()),
  languageSymbol: z.string(),
  expandoChar: z.string(),
});

/**
 * Finds ast-grep and its languages in the npm dependencies; `null` if a part is missing. Loads no native code: a
 * separate process does.
 */
export function findAstGrep(): AstGrep | null {
  const require = createRequire(import.meta.url);
  const manifestOf = (name: string) => {
    const path = require.resolve(`${name}/package.json`);
    return { folder: dirname(path), ...Manifest.parse(require(path)) };
  };
  try {
    const napi = manifestOf('@ast-grep/napi');
    const binding = manifestOf(`@ast-grep/napi-${process.platform}-${process.arch}-gnu`);
    const arch = process.arch.toUpperCase();
    const languages = LANGUAGES.map((name) => {
      const { folder, version } = manifestOf(`@ast-grep/lang-${name}`);
      const libraryPath = join(folder, 'prebuilds', `prebuild-Linux-${arch}`, 'parser.so');
      const about = Language.parse(require(folder));
      return { name, part: `${name} ${version}`, library: { libraryPath, ...about } };
    });
    const bindingPath = join(binding.folder, binding.main);
    const files = [bindingPath, ...languages.map(({ library }) => library.libraryPath)];
    if (!files.every((file) => existsSync(file))) return null;
    const [python, go, java, yaml] = languages.map(({ library }) => library);
    if (python === undefined || go === undefined || java === undefined || yaml === undefined) return null;
    const parts = [`ast-grep ${napi.version}`, ...languages.map(({ part }) => part)];
    return { version: napi.version, bindingPath, parsers: { python, go, java, yaml }, parts };
  } catch (err) {
    if (isSystemError(err, 'MODULE_NOT_FOUND')) return null;
    throw err;
  }
}
