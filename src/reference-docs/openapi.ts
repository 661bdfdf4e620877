import { createApp, openApiDocument } from '../api/app.ts';
import type { ApiDeps } from '../api/deps.ts';
import { secuVersion } from '../main/version.ts';

/** The OpenAPI document. Routes are only declared here and never called, so their dependencies may be empty. */
export function openApiJson(): string {
  const settings = {
    publicUrl: '',
    hosts: [],
    defaultBaseUrl: '',
    expiryThresholds: [],
    mail: false,
    version: secuVersion(),
    trustedProxies: [],
    dashboardFolder: '',
  };
  const deps: ApiDeps = Object.assign(emptyDependency<ApiDeps>(), { settings });
  return `${JSON.stringify(openApiDocument(createApp(deps), secuVersion()), null, 2)}\n`;
}

/** An object whose every property is again such an object. */
function emptyDependency<T extends object>(): T {
  return new Proxy<T>(Object.create(null), {
    get: (target, name) => Reflect.get(target, name) ?? emptyDependency<object>(),
  });
}
