const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const MASK = '[secret]';

/**
 * A text that must not be seen: prints `[secret]` in strings, JSON, logs and inspection, and is not copied by a
 * structured clone. `reveal()` is for sealing and hashing it, for GitLab, for git and the process that runs it, for the
 * sender of a channel, and for the scrubber of logs.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [INSPECT](): string {
    return MASK;
  }
}
