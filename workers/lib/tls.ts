import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';

/**
 * The certificate authority (PEM) in the file that `<SYSTEM>_CA_FILE` names; undefined where it names none, which
 * leaves Node's own authorities in force.
 * @throws {ConfigError} when the file can't be read.
 */
export function certificateAuthority(env: NodeJS.ProcessEnv, system: string): string | undefined {
  const file = env[`${system}_CA_FILE`];
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${system}_CA_FILE: ${file} can't be read: ${(error as Error).message}`);
  }
}
