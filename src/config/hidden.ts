const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** The value of a secret setting. It prints as `[hidden]`; only `value()` returns it. */
export class Hidden {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  value(): string {
    return this.#value;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }

  [INSPECT](): string {
    return '[hidden]';
  }
}
