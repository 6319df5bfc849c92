/** Cassandra's own tool for its ring, begun by its class: images differ in where the command lies, not in this. */
export const NODETOOL = `#!/bin/sh
# nodetool.sh COMMAND [ARGUMENT…]: runs nodetool on the node of this pod.
exec java @/tmp/conf/modules.options -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.home=/tmp -Djava.io.tmpdir=/tmp \\
  -Dlogback.configurationFile=logback.xml -cp "/tmp/conf:/opt/cassandra/lib/*" \\
  org.apache.cassandra.tools.NodeTool -h 127.0.0.1 -p 7199 "$@"
`;

/** Where a pod remembers its operations. They end with their container, so does what is known of them. */
export const OPERATIONS = '/tmp/operations';

/** The script by which the operator begins what takes long, and asks how it stands. */
export const OPERATION = `#!/bin/sh
# operation.sh ID [COMMAND [ARGUMENT…]]: begins a nodetool command, once for each ID and apart from whoever asks, and
# answers how it stands: running, done, or failed with its last words. What failed is begun anew after a minute.
# Without a command it begins nothing, and answers none where nothing was begun.
set -eu
home=${OPERATIONS}/$1
shift

mkdir -p ${OPERATIONS}
if [ $# -gt 0 ] && [ -n "$(find "$home" -name failed -mmin +1 2>/dev/null)" ]; then rm -rf "$home"; fi
# Making a directory is what only one of several can do.
if [ $# -gt 0 ] && mkdir "$home" 2>/dev/null; then
  (
    if sh /etc/cassandra/nodetool.sh "$@" >"$home/log" 2>&1; then : >"$home/done"; else : >"$home/failed"; fi
  ) </dev/null >/dev/null 2>&1 &
fi
if [ -e "$home/done" ]; then
  echo done
elif [ -e "$home/failed" ]; then
  echo failed
  tail -n 5 "$home/log"
elif [ -e "$home" ]; then
  echo running
else
  echo none
fi
`;
