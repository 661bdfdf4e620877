import { Channel, Delivery } from './channel.ts';
import {
  Command,
  Credential,
  ExpiryFlag,
  HintedProject,
  HookReceiver,
  Integration,
  Outbox,
  Rotation,
} from './integration.ts';
import { Repository, ScannedRefRow, SyncRun } from './repository.ts';
import { Finding, Scan, ScannerRunRow } from './scan.ts';
import { ApiKey, DataKey, Event, EventCluster, IdempotencyKey, KeyCheck, WorkerReport } from './system.ts';
import { SetupCode, SignInTry, User, UserSession } from './user.ts';

export const ENTITIES = [
  Integration,
  Credential,
  ExpiryFlag,
  HookReceiver,
  HintedProject,
  Command,
  Outbox,
  Rotation,
  Repository,
  ScannedRefRow,
  SyncRun,
  Scan,
  ScannerRunRow,
  Finding,
  Event,
  EventCluster,
  ApiKey,
  User,
  UserSession,
  SignInTry,
  SetupCode,
  IdempotencyKey,
  DataKey,
  KeyCheck,
  WorkerReport,
  Channel,
  Delivery,
];
