import { defineEntity, p } from '@mikro-orm/core';
import type { UserRole, UserSource } from '../../domain/user.ts';

/** The tables have a prefix because `user` and `session` are SQL keywords. */
const UserSchema = defineEntity({
  name: 'User',
  tableName: 'app_user',
  properties: {
    id: p.string().primary(),
    /** Unique, case-insensitively. */
    username: p.text(),
    role: p.string().$type<UserRole>(),
    source: p.string().$type<UserSource>(),
    /** Issuer and subject at the single sign-on provider; `null` for a local account. */
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
    /** The address from which the user signed in. */
    address: p.text(),
    createdAt: p.datetime(),
    /** Last use, updated at most once a minute. */
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
