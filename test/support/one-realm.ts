import { types } from 'node:util';

/**
 * Jest runs tests in a separate realm, where an error of Node is not `instanceof Error`. This restores the behaviour of a
 * normal program.
 */
const ordinary = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, candidate: unknown): boolean {
    return ordinary.call(this, candidate) || (this === Error && types.isNativeError(candidate));
  },
});
