// A program: reads rules and files from standard input, and writes one line of matches for each file. It parses hostile text
// with native code, so it runs alone, reads no repository, and may crash at any file.
// Plain JavaScript, because removing types would double its start time.
import { readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * @typedef {import('./protocol.ts').EngineHead} EngineHead
 * @typedef {import('./protocol.ts').EngineFile} EngineFile
 * @typedef {import('./protocol.ts').EngineRule} EngineRule
 * @typedef {import('./protocol.ts').EngineAnswer} EngineAnswer
 * @typedef {EngineAnswer['found'][number]} Match
 */

const NEWLINE = 0x0a;
const MAX_MATCH_CHARACTERS = 2_000;
const MAX_MATCHES_PER_FILE = 1_000;
const MAX_SHARE_OF_ERRORS = 0.5;
const QUOTES = /^[A-Za-z]{0,2}["'`]+|["'`]+$/g;

/** The next line and the next bytes of the standard input. */
function createInput() {
  let held = Buffer.alloc(0);
  const more = () => {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const bytes = readSync(0, chunk);
    if (bytes > 0) held = Buffer.concat([held, chunk.subarray(0, bytes)]);
    return bytes > 0;
  };
  return {
    /** @returns {string | null} */
    line() {
      let end = held.indexOf(NEWLINE);
      while (end === -1) {
        const known = held.length;
        if (!more()) return null;
        end = held.indexOf(NEWLINE, known);
      }
      const line = held.toString('utf8', 0, end);
      held = held.subarray(end + 1);
      return line;
    },
    /** @param {number} length */
    text(length) {
      while (held.length < length) if (!more()) throw new Error('the input ends within a file');
      const text = held.toString('utf8', 0, length);
      held = held.subarray(length);
      return text;
    },
  };
}

/**
 * @param {import('@ast-grep/napi').SgNode} root @param {string} text
 * @returns {boolean} whether most of the text is not in this language
 */
function isUnparsable(root, text) {
  if (root.is('ERROR')) return true;
  let length = 0;
  let end = 0;
  for (const error of root.findAll({ rule: { kind: 'ERROR' } })) {
    const range = error.range();
    if (range.start.index < end) continue;
    end = range.end.index;
    length += end - range.start.index;
  }
  return length > text.length * MAX_SHARE_OF_ERRORS;
}

/**
 * Locates parts of the text, in lines and bytes.
 * @param {string} text
 */
function createPlaces(text) {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  /** @param {number} index The line that it is on, from 0. */
  const lineOf = (index) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  /** @param {number} line @param {number} index */
  const byteOf = (line, index) => Buffer.byteLength(text.slice(starts[line], index));
  /** @param {number} start @param {number} end */
  return (start, end) => {
    const match = text.slice(start, end).trimEnd();
    const [first, last] = [lineOf(start), lineOf(start + match.length)];
    return {
      startLine: first + 1,
      endLine: last + 1,
      startByte: byteOf(first, start),
      endByte: byteOf(last, start + match.length),
      match,
    };
  };
}

/**
 * @typedef {object} Source
 * @property {string} text
 * @property {import('@ast-grep/napi').SgNode} root
 * @property {ReturnType<typeof createPlaces>} placeOf
 */

/** @param {import('@ast-grep/napi').SgNode} node @param {Source} source */
function secretOf(node, { text, placeOf }) {
  const { start, end } = node.range();
  const whole = text.slice(start.index, end.index);
  const secret = whole.replace(QUOTES, '');
  const from = start.index + Math.max(0, whole.indexOf(secret));
  const { match, ...place } = placeOf(from, from + secret.length);
  return { ...place, secret: match };
}

/** @param {Source} source @param {EngineRule} rule @param {number} index @returns {Match[]} */
function matchesOf(source, rule, index) {
  const { root, text, placeOf } = source;
  const { narrow, ...config } = rule;
  /** @type {Match[]} */
  const found = [];
  let last = 0;
  for (const node of root.findAll(config)) {
    const { start, end } = node.range();
    // A match within another match of the same rule is the same flaw.
    if (start.index < last) continue;
    last = end.index;
    const secret = node.getMatch('SECRET');
    const secrets = secret === null ? [] : [secretOf(secret, source)];
    const inside = text.slice(start.index, end.index);
    const parts = narrow === undefined ? [{ index: 0, 0: inside }] : inside.matchAll(new RegExp(narrow, 'g'));
    for (const part of parts) {
      const from = start.index + part.index;
      const { match, startLine, endLine, startByte } = placeOf(from, from + part[0].length);
      found.push({
        rule: index,
        startLine,
        endLine,
        startByte,
        match: match.slice(0, MAX_MATCH_CHARACTERS),
        secrets,
      });
    }
  }
  return found;
}

const require = createRequire(import.meta.url);
const [, , bindingPath = ''] = process.argv;
/** @type {typeof import('@ast-grep/napi')} */
const { parse, registerDynamicLanguage } = require(bindingPath);
const input = createInput();
/** @type {EngineHead} */
const { parsers, rules } = JSON.parse(input.line() ?? '');
if (Object.keys(parsers).length > 0) registerDynamicLanguage(parsers);
for (let line = input.line(); line !== null; line = input.line()) {
  /** @type {EngineFile} */
  const file = JSON.parse(line);
  const text = input.text(file.bytes);
  const root = parse(file.parser, text).root();
  const source = { root, text, placeOf: createPlaces(text) };
  const found = file.rules.flatMap((index) => {
    const rule = rules[index];
    return rule === undefined ? [] : matchesOf(source, rule, index);
  });
  /** @type {EngineAnswer} */
  const answer = {
    unparsable: isUnparsable(root, text),
    hasMore: found.length > MAX_MATCHES_PER_FILE,
    found: found.slice(0, MAX_MATCHES_PER_FILE),
  };
  writeSync(1, `${JSON.stringify(answer)}\n`);
}
