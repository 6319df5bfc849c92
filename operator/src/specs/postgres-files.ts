import { BESIDE_KEPT_WAL } from '../api/postgres.ts';
import type { Pipeline } from '../api/resource.ts';
import { quantityValue } from '../api/scalars.ts';
import { MIB, memoryMib } from './quantities.ts';

type Managed = NonNullable<Pipeline['spec']['postgres']['managed']>;

/** The start script. A first start that is cut off leaves only a directory that the next one makes anew. */
export const START = `#!/bin/sh
# Makes the database on an empty volume, sets the passwords that the Secret holds now, then becomes Postgres.
set -eu
umask 077
config=/etc/postgres/postgresql.conf
secret=/etc/postgres-secret
audit=/etc/postgres-audit

# A key of a Secret as the inside of an SQL literal.
literal() { sed "s/'/''/g" "$1"; }

# Runs the SQL on standard input, a statement a line, with no server. Never logs a statement: some hold passwords. After a
# crash the volume names process 1 as its Postgres: here that is this script, which Postgres would take for a living one.
run_sql() {
  PG_GRANDPARENT_PID=$$ postgres --single -D "$1" -c config_file="$config" -c exit_on_error=on -c log_min_error_statement=panic \\
    postgres >/dev/null
}

# Held until the last process of this Postgres ends. Its own lock tells by process numbers, which mean nothing in another pod.
exec 9>"$PGDATA.lock"
if ! flock --nonblock 9; then
  echo "another Postgres still works on the volume, perhaps that of a pod that was deleted by force: waiting for its end" >&2
  flock 9
fi

runs=$(postgres --version | sed 's/[^0-9]*\\([0-9]*\\).*/\\1/')
if [ -s "$PGDATA/PG_VERSION" ] && [ "$(cat "$PGDATA/PG_VERSION")" != "$runs" ]; then
  echo "the volume holds data of Postgres $(cat "$PGDATA/PG_VERSION"), which Postgres $runs can't read, and was left as it is:" \\
    "set postgres.managed.image back; to change the major version, dump the data and restore it into a new pipeline" >&2
  exit 1
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.new"
  initdb --pgdata="$PGDATA.new" --username=postgres --pwfile="$secret/postgres-password" \\
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  printf '%s\\n' 'CREATE ROLE userstream;' 'CREATE DATABASE userstream OWNER userstream;' | run_sql "$PGDATA.new"
  mv -T "$PGDATA.new" "$PGDATA"
fi

# A volume's group permissions, as the kubelet sets them, are more than Postgres takes.
chmod 0700 "$PGDATA"
{
  printf "ALTER ROLE postgres PASSWORD '%s';\\n" "$(literal "$secret/postgres-password")"
  printf "ALTER ROLE userstream LOGIN REPLICATION PASSWORD '%s';\\n" "$(literal "$secret/password")"
  printf '%s%s\\n' "DO \\$\\$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'userstream_audit')" \\
    ' THEN CREATE ROLE userstream_audit; END IF; END$$;'
  printf "ALTER ROLE userstream_audit LOGIN PASSWORD '%s';\\n" "$(literal "$audit/password")"
} | run_sql "$PGDATA"

exec postgres -D "$PGDATA" -c config_file="$config"
`;

/** Connections that hang on a worker without Kafka must not hold up a shutdown for ever. */
export const STOP = 'pg_ctl stop -D "$PGDATA" -m fast -w -t 45 || pg_ctl stop -D "$PGDATA" -m immediate';

export const HBA = `# TYPE  DATABASE  USER      ADDRESS  METHOD
local   all       postgres           peer
host    all       all       all      scram-sha-256
`;

const mebibytes = (quantity: string | number) => Math.floor(quantityValue(quantity) / MIB);

/**
 * What WAL may take of a volume of `size`, in MiB. A slot is given up at a checkpoint, so beside what is kept for it there is
 * what comes between two: at most Postgres' own gigabyte, and a quarter of what the other leaves.
 */
function walSizes({ maxSlotWalKeepSize }: Managed, size: string | number) {
  const volume = mebibytes(size);
  // A volume that can't grow holds less than is asked for; so did one from before the API server compared them.
  const wanted = Math.min(mebibytes(maxSlotWalKeepSize), volume - mebibytes(BESIDE_KEPT_WAL));
  const kept = Math.min(2 ** 31 - 1, Math.max(64, wanted));
  const between = Math.max(32, Math.min(1024, Math.floor((volume - kept) / 4)));
  return { kept, between, recycled: Math.min(80, between) };
}

/** postgresql.conf: logical decoding on, WAL bounded by the size of the volume, a quarter of the memory as cache. */
export function configuration(managed: Managed, size: string | number): string {
  const { kept, between, recycled } = walSizes(managed, size);
  const settings: Record<string, string> = {
    listen_addresses: "'*'",
    port: '5432',
    unix_socket_directories: "'/var/run/postgresql'",
    hba_file: "'/etc/postgres/pg_hba.conf'",
    password_encryption: 'scram-sha-256',
    wal_level: 'logical',
    max_wal_senders: '10',
    max_replication_slots: '10',
    max_slot_wal_keep_size: `${kept}MB`,
    max_wal_size: `${between}MB`,
    min_wal_size: `${recycled}MB`,
    shared_buffers: `${Math.max(16, Math.floor(memoryMib(managed.resources, 512) / 4))}MB`,
    logging_collector: 'off',
    timezone: "'UTC'",
    log_timezone: "'UTC'",
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}
