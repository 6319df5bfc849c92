import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const JAVA_CERTIFICATES = '/etc/ssl/certs/java/cacerts';

/**
 * Fills the directory that stands at /root while an image is built, and is part of none: pip, npm and Maven find in it
 * the authorities that this host trusts (they may be more than Debian's), and keep there what they downloaded.
 */
export async function writeBuildHome(home: string): Promise<void> {
  await mkdir(join(home, '.config', 'pip'), { recursive: true });
  if (existsSync(CERTIFICATES)) {
    await copyFile(CERTIFICATES, join(home, 'ca.crt'));
    await writeFile(join(home, '.config/pip/pip.conf'), '[global]\ncert = /root/ca.crt\n');
    await writeFile(join(home, '.npmrc'), 'cafile=/root/ca.crt\n');
  }
  if (existsSync(JAVA_CERTIFICATES)) {
    await copyFile(JAVA_CERTIFICATES, join(home, 'cacerts'));
    await writeFile(join(home, '.mavenrc'), 'MAVEN_OPTS=-Djavax.net.ssl.trustStore=/root/cacerts\n');
  }
}
