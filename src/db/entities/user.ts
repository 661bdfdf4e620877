import { defineEntity, p } from '@mikro-orm/core';
import type { UserRole, UserSource } from '../../domain/user.ts';

/** `user` and `session` are words of SQL, hence the prefix of the tables. */
const UserSchema = defineEntity({
  name: 'User',
  tableName: 'app_user',
  properties: {
    id: p.string().primary(),
    /** Unique without case. */
    username: p.text(),
    role: p.string().$type<UserRole>(),
    source: p.string().$type<UserSource>(),
    /** Whom the provider of single sign-on means; `null` for a local account. */
    issuer: p.text().nullable(),
    subject: p.text().nullable(),
    /** With its salt and cost; `null` for users of single sign-on. */
    passwordHash: p.text().nullable().lazy(),
    createdAt: p.datetime(),
    passwordChangedAt: p.datetime().nullable(),
    lastSignInAt: p.datetime().nullable(),
  },
});
export class User extends UserSchema.class {}
UserSchema.setClass(User);

const UserSessionSchema = defineEntity({
  name: 'UserSession',
  tableName: 'app_session',
  indexes: [{ properties: ['userId'] }],
  properties: {
    id: p.string().primary(),
    userId: p.string(),
    /** SHA-256 of the cookie's value, hex: 256 random bits need no slow hash. */
    hash: p.string().unique(),
    /** Where the person signed in from. */
    address: p.text(),
    createdAt: p.datetime(),
    /** Last use, noted at most once a minute. */
    seenAt: p.datetime(),
  },
});
export class UserSession extends UserSessionSchema.class {}
UserSessionSchema.setClass(UserSession);

const SignInTrySchema = defineEntity({
  name: 'SignInTry',
  tableName: 'sign_in_try',
  properties: {
    /** `account:<keyed hash of the name>` or `address:<address or network>`. */
    subject: p.string().primary(),
    tries: p.integer(),
    lastAt: p.datetime(),
    blockedUntil: p.datetime(),
  },
});
export class SignInTry extends SignInTrySchema.class {}
SignInTrySchema.setClass(SignInTry);

const SetupCodeSchema = defineEntity({
  name: 'SetupCode',
  tableName: 'setup_code',
  properties: { hash: p.string().primary(), expiresAt: p.datetime() },
});
export class SetupCode extends SetupCodeSchema.class {}
SetupCodeSchema.setClass(SetupCode);
