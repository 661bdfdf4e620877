const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const MASK = '[secret]';

/**
 * A text that must never be shown: it prints `[secret]` in strings, JSON, logs and inspection, and a structured
 * clone does not copy it. `reveal()` is called only to seal and hash it, for GitLab, for git and the process that
 * runs it, for channel senders, and by the log scrubber.
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
