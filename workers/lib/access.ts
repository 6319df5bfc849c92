import { type Credentials, credentials } from './config.ts';
import { certificateAuthority } from './tls.ts';

/** How a client gets into a system: its login, and the authority (PEM) that it trusts beside Node's own. */
export type Access = { credentials: Credentials | undefined; ca: string | undefined };

/**
 * What the environment says of a system, by the prefix of its variables.
 * @throws {ConfigError} where that can't be used.
 */
export function accessOf(env: NodeJS.ProcessEnv): (system: string) => Access {
  return (system) => ({ credentials: credentials(env, system), ca: certificateAuthority(env, system) });
}
