import { types } from 'node:util';

/**
 * Jest runs tests in a realm of their own, where an error of Node's is no `instanceof Error`, as it is in every program.
 * Here it is one again: code is tested as it runs.
 */
const ordinary = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, candidate: unknown): boolean {
    return ordinary.call(this, candidate) || (this === Error && types.isNativeError(candidate));
  },
});
